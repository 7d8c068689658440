//! What the handles and the thread share: the two buffers, the settings, and the state of the
//! connection.

use std::io;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cap_egress::Guard;
use chrono::Utc;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};

use super::connection::ConnectionState;
use super::cursor::{Cursor, Source};
use crate::backfill::Backfill;
use crate::config::Relay;
use crate::relay::tcp::Unacknowledged;
use crate::relay::{RelayError, Settings};
use crate::ring::Ring;
use crate::status::{State, Status};

pub(super) struct Shared {
    pub(super) guard: Guard,
    unacknowledged: Unacknowledged,
    pub(super) settings: watch::Sender<Arc<Settings>>,
    /// Bytes to which the settings in force cut a record.
    pub(super) message_size: AtomicUsize,
    buffer: Mutex<Ring>,
    /// Dropped events that came back from the store and are not delivered yet.
    stored: Mutex<Ring>,
    pub(super) store: Option<Arc<dyn Backfill>>,
    connection: Mutex<ConnectionState>,
    /// Wakes the thread when it has nothing to send.
    pub(super) more: Notify,
    pub(super) status: watch::Sender<Status>,
    /// Somebody subscribed to the status.
    pub(super) watched: Notify,
}

impl Shared {
    pub(super) fn new(
        settings: Settings,
        guard: Guard,
        store: Option<Arc<dyn Backfill>>,
        unacknowledged: Unacknowledged,
    ) -> Self {
        let buffer = Ring::new(settings.config.buffer_size.get());
        let stored = Ring::without_reserve(settings.config.buffer_size.get());
        let connection = ConnectionState::new();
        let status = connection.status(&settings, &buffer, &stored);
        Self {
            guard,
            unacknowledged,
            message_size: settings.config.message_size().get().into(),
            settings: watch::Sender::new(Arc::new(settings)),
            buffer: Mutex::new(buffer),
            stored: Mutex::new(stored),
            store,
            connection: Mutex::new(connection),
            more: Notify::new(),
            status: watch::Sender::new(status),
            watched: Notify::new(),
        }
    }

    pub(super) fn buffer(&self) -> MutexGuard<'_, Ring> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stored(&self) -> MutexGuard<'_, Ring> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn ring(&self, source: Source) -> MutexGuard<'_, Ring> {
        match source {
            Source::Buffer => self.buffer(),
            Source::Store => self.stored(),
        }
    }

    /// The oldest event that is not delivered.
    pub(super) fn head(&self) -> Cursor {
        let stored = self.stored();
        if stored.len() > 0 {
            return Cursor::new(Source::Store, stored.first());
        }
        Cursor::new(Source::Buffer, self.buffer().first())
    }

    /// The connection is gone: everything that is not delivered is sent again.
    pub(super) fn rewind(&self) {
        self.stored().rewind();
        self.buffer().rewind();
    }

    /// The relay may have lost what it acknowledged.
    pub(super) fn doubt(&self) {
        self.stored().doubt();
        self.buffer().doubt();
    }

    /// No event waits to be sent or delivered.
    pub(super) fn is_empty(&self) -> bool {
        self.stored().len() == 0 && self.buffer().len() == 0
    }

    /// Events delivered from either buffer.
    pub(super) fn delivered(&self) -> u64 {
        let stored = self.stored().delivered;
        stored + self.buffer().delivered
    }

    pub(super) fn connection(&self) -> MutexGuard<'_, ConnectionState> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn status(&self) -> Status {
        let settings = Arc::clone(&self.settings.borrow());
        let connection = self.connection();
        let stored = self.stored();
        connection.status(&settings, &self.buffer(), &stored)
    }

    pub(super) fn publish(&self) {
        let status = self.status();
        self.status.send_if_modified(|known| {
            let changed = *known != status;
            *known = status;
            changed
        });
    }

    pub(super) fn connected(&self, relay: &Relay) {
        let mut connection = self.connection();
        connection.enter(State::Connected);
        connection.connections += 1;
        connection.relay = Some(relay.to_string());
        drop(connection);
        tracing::info!(target: "cap_syslog", %relay, "connected to the syslog relay");
    }

    /// Bytes that the relay's TCP stack has not acknowledged; 0 where the kernel does not say, and
    /// the grace alone decides.
    pub(super) fn unacknowledged(&self, stream: &TcpStream) -> io::Result<u64> {
        let bytes = (self.unacknowledged)(stream)?;
        let known = bytes.is_some();
        let was_known = std::mem::replace(&mut self.connection().acknowledgements, known);
        if was_known && !known {
            tracing::warn!(
                target: "cap_syslog",
                "the kernel does not say what the relay acknowledged; an audit event counts as delivered when it was written \
                 and the grace has passed"
            );
        }
        Ok(bytes.unwrap_or(0))
    }

    pub(super) fn succeeded(&self) {
        self.connection().last_success = Some(Utc::now());
    }

    pub(super) fn failed(&self, error: RelayError) {
        let message = error.message.clone();
        let mut connection = self.connection();
        let known = connection.last_error.as_ref();
        let changed =
            connection.state == State::Connected || known.is_none_or(|(known, _)| *known != error);
        connection.enter(State::Connecting);
        connection.last_error = Some((error, Utc::now()));
        // A subscriber of the log may be slow, or may ask for the status.
        drop(connection);
        if changed {
            tracing::warn!(target: "cap_syslog", error = %message, "the syslog relay is not connected");
        }
    }
}
