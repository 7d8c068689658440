//! The state of the forwarder's connection, as the status shows it.

use chrono::{DateTime, Utc};

use crate::relay::{RelayError, Settings};
use crate::ring::Ring;
use crate::status::{Confirmation, State, Status};

pub(super) struct ConnectionState {
    pub(super) state: State,
    since: DateTime<Utc>,
    pub(super) relay: Option<String>,
    pub(super) connections: u64,
    pub(super) last_success: Option<DateTime<Utc>>,
    pub(super) last_error: Option<(RelayError, DateTime<Utc>)>,
    /// The kernel says what the relay acknowledged.
    pub(super) acknowledgements: bool,
}

impl ConnectionState {
    pub(super) fn new() -> Self {
        Self {
            state: State::Connecting,
            since: Utc::now(),
            relay: None,
            connections: 0,
            last_success: None,
            last_error: None,
            acknowledgements: cfg!(target_os = "linux"),
        }
    }

    pub(super) fn enter(&mut self, state: State) {
        if self.state != state {
            (self.state, self.since) = (state, Utc::now());
        }
    }

    pub(super) fn status(&self, settings: &Settings, buffer: &Ring, store: &Ring) -> Status {
        let (last_error, last_error_at) = self.last_error.clone().unzip();
        let status = Status {
            state: self.state,
            since: self.since,
            relay: self.relay.clone(),
            confirmation: Confirmation::of(&settings.config.transport, self.acknowledgements),
            enqueued: buffer.enqueued,
            delivered: buffer.delivered,
            dropped: buffer.dropped,
            quarantined: buffer.quarantined + store.quarantined,
            backfilled: store.delivered,
            queued: buffer.len() as u64,
            capacity: buffer.capacity() as u64,
            reconnects: self.connections.saturating_sub(1),
            last_success: self.last_success,
            last_error,
            last_error_at,
            warning: None,
        };
        status.with_warning()
    }
}
