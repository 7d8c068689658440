//! What the handle and the thread behind it share: the buffer, the settings, and where the connection stands.

use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_egress::Guard;
use chrono::{DateTime, Utc};
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use super::settings::Settings;
use crate::backfill::Backfill;
use crate::config::Relay;
use crate::relay_error::RelayError;
use crate::ring::Ring;
use crate::status::{Confirmation, State, Status};
use crate::tcp::Ask;

pub(super) struct Shared {
    pub(super) guard: Guard,
    pub(super) ask: Ask,
    pub(super) settings: watch::Sender<Arc<Settings>>,
    /// Bytes that a record is cut to under these settings.
    pub(super) message_size: AtomicUsize,
    pub(super) ring: Mutex<Ring>,
    /// Of events that were dropped, those that came back from the store and are not yet released; numbered from [`STORED`] on.
    pub(super) stored: Mutex<Ring>,
    pub(super) store: Option<Arc<dyn Backfill>>,
    pub(super) standing: Mutex<Standing>,
    /// The thread waits for this when there is nothing to send.
    pub(super) more: Notify,
    pub(super) status: watch::Sender<Status>,
    /// Somebody subscribed to the status.
    pub(super) watched: Notify,
}

/// The number of the first event from the store: whether one came from there can be seen from its number.
pub(super) const STORED: u64 = 1 << 63;

/// Where the forwarder stands with its relay.
pub(super) struct Standing {
    pub(super) state: State,
    pub(super) since: DateTime<Utc>,
    pub(super) relay: Option<String>,
    pub(super) connections: u64,
    pub(super) last_success: Option<DateTime<Utc>>,
    pub(super) last_error: Option<(RelayError, DateTime<Utc>)>,
    /// The kernel says what was acknowledged.
    pub(super) told: bool,
}

impl Shared {
    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stored(&self) -> MutexGuard<'_, Ring> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where the event of this number is.
    pub(super) fn ring_of(&self, number: u64) -> MutexGuard<'_, Ring> {
        if number < STORED {
            self.ring()
        } else {
            self.stored()
        }
    }

    /// Where the events before this number are; none, when it is the number of no event.
    pub(super) fn ring_before(&self, end: u64) -> Option<MutexGuard<'_, Ring>> {
        let none = end == 0 || end == STORED;
        (!none).then(|| self.ring_of(end - 1))
    }

    /// The number of the oldest event that waits to be released.
    pub(super) fn head(&self) -> u64 {
        let stored = self.stored();
        match stored.len() {
            0 => self.ring().first(),
            _ => stored.first(),
        }
    }

    /// The connection is gone: what was not released is to be sent again.
    pub(super) fn rewind(&self) {
        self.stored().rewind();
        self.ring().rewind();
    }

    /// What the relay has acknowledged it may have lost since.
    pub(super) fn doubt(&self) {
        self.stored().doubt();
        self.ring().doubt();
    }

    /// Nothing waits to be sent or released.
    pub(super) fn is_empty(&self) -> bool {
        self.stored().len() == 0 && self.ring().len() == 0
    }

    /// Events that left for good.
    pub(super) fn delivered(&self) -> u64 {
        let stored = self.stored().delivered;
        stored + self.ring().delivered
    }

    pub(super) fn standing(&self) -> MutexGuard<'_, Standing> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> Status {
        let settings = Arc::clone(&self.settings.borrow());
        let standing = self.standing();
        let stored = self.stored();
        standing
            .status(&settings, &self.ring(), &stored)
            .with_warning()
    }

    pub(super) fn publish(&self) {
        let status = self.status();
        self.status.send_if_modified(|known| {
            let news = *known != status;
            *known = status;
            news
        });
    }

    pub(super) fn connected(&self, relay: &Relay) {
        let mut standing = self.standing();
        standing.enter(State::Connected);
        standing.connections += 1;
        standing.relay = Some(relay.to_string());
        drop(standing);
        tracing::info!(target: "cap_syslog", %relay, "connected to the syslog relay");
    }

    /// Asks how many bytes the relay's TCP stack lacks. Where the kernel does not tell, everything written counts as
    /// acknowledged, and the grace alone decides.
    pub(super) fn unacknowledged(&self, stream: &TcpStream) -> io::Result<u64> {
        let lacking = (self.ask)(stream)?;
        let told = std::mem::replace(&mut self.standing().told, lacking.is_some());
        if told && lacking.is_none() {
            tracing::warn!(
                target: "cap_syslog",
                "the kernel does not tell what the relay acknowledged; audit events are taken for delivered once they were written and the grace has passed"
            );
        }
        Ok(lacking.unwrap_or(0))
    }

    pub(super) fn succeeded(&self) {
        self.standing().last_success = Some(Utc::now());
    }

    pub(super) fn failed(&self, problem: RelayError) {
        let text = problem.message.clone();
        let mut standing = self.standing();
        let known = standing.last_error.as_ref();
        let news =
            standing.state == State::Connected || known.is_none_or(|(known, _)| *known != problem);
        standing.enter(State::Connecting);
        standing.last_error = Some((problem, Utc::now()));
        // Whoever takes in the log line may be slow, or may ask for the status.
        drop(standing);
        if news {
            tracing::warn!(target: "cap_syslog", error = %text, "the syslog relay is not connected");
        }
    }
}

impl Standing {
    pub(super) fn enter(&mut self, state: State) {
        if self.state != state {
            (self.state, self.since) = (state, Utc::now());
        }
    }

    pub(super) fn status(&self, settings: &Settings, ring: &Ring, stored: &Ring) -> Status {
        let (last_error, last_error_at) = self.last_error.clone().unzip();
        Status {
            state: self.state,
            since: self.since,
            relay: self.relay.clone(),
            confirmation: Confirmation::of(&settings.config.transport, self.told),
            enqueued: ring.enqueued,
            delivered: ring.delivered,
            dropped: ring.dropped,
            quarantined: ring.quarantined + stored.quarantined,
            backfilled: stored.delivered,
            queued: ring.len() as u64,
            capacity: ring.capacity() as u64,
            reconnects: self.connections.saturating_sub(1),
            last_success: self.last_success,
            last_error,
            last_error_at,
            warning: None,
        }
    }
}
