//! What a forwarder reports about itself.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::Transport;
use crate::relay::RelayError;

cap_names::closed_enum! {
    /// The state of the connection to the relay.
    #[non_exhaustive]
    pub enum State: "forwarder state" {
        /// Not connected yet, or between two attempts.
        Connecting = "connecting",
        /// Connected. Over UDP: a socket is open, and no datagram was refused on it.
        Connected = "connected",
        /// Shut down.
        Stopped = "stopped",
    }
}

cap_names::closed_enum! {
    /// When an event counts as delivered.
    #[non_exhaustive]
    pub enum Confirmation: "confirmation" {
        /// When the relay's TCP stack acknowledged it and the grace passed.
        Acknowledged = "acknowledged",
        /// When it was written and the grace passed, because the kernel does not say what was
        /// acknowledged.
        Written = "written",
        /// When the network took its datagram, which nothing confirms.
        Sent = "sent",
    }
}

impl Confirmation {
    /// `acknowledgments`: the kernel says what was acknowledged.
    pub(crate) fn of(transport: &Transport, acknowledgments: bool) -> Self {
        match transport {
            Transport::Udp => Self::Sent,
            _ if acknowledgments => Self::Acknowledged,
            _ => Self::Written,
        }
    }
}

impl Serialize for Confirmation {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A snapshot of the account and of the connection. `enqueued = delivered + dropped + queued`
/// always holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The state of the connection to the relay.
    pub state: State,
    /// When this state began.
    pub since: DateTime<Utc>,
    /// The relay of this connection or of the last one, as configured: `host:port`.
    pub relay: Option<String>,
    /// When an event counts as delivered.
    pub confirmation: Confirmation,
    /// Events enqueued by callers, and gap records.
    pub enqueued: u64,
    /// Events that left the buffer because they were delivered; see [`Confirmation`].
    pub delivered: u64,
    /// Events dropped because the buffer was full, and quarantined events.
    pub dropped: u64,
    /// Dropped events on which the relay closes the connection, or which are too long for a
    /// datagram.
    pub quarantined: u64,
    /// Dropped events that were delivered after all, from the [primary store](crate::Backfill).
    pub backfilled: u64,
    /// Events in the buffer.
    pub queued: u64,
    /// Events that the buffer can hold.
    pub capacity: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// When an event was last delivered.
    pub last_success: Option<DateTime<Utc>>,
    /// What ended the last connection, or the last attempt to connect.
    pub last_error: Option<RelayError>,
    /// When that happened.
    pub last_error_at: Option<DateTime<Utc>>,
    /// A sentence for a user interface: the buffer drops events, the relay is away, or events were
    /// quarantined.
    pub warning: Option<String>,
}

impl Status {
    pub(crate) fn with_warning(mut self) -> Self {
        self.warning = self.warning_text();
        self
    }

    fn warning_text(&self) -> Option<String> {
        let error = match &self.last_error {
            Some(problem) => problem.message.as_str(),
            None => "the relay is too slow",
        };
        if self.dropped > self.quarantined && self.queued >= self.capacity {
            Some(format!(
                "The syslog buffer is full and the oldest events are being dropped ({} so far): {error}",
                self.dropped - self.quarantined
            ))
        } else if self.state == State::Connecting && self.last_error.is_some() {
            Some(format!(
                "The syslog relay is not connected, {} of {} events are buffered: {error}",
                self.queued, self.capacity
            ))
        } else if self.quarantined > 0 {
            Some(format!(
                "The syslog relay refuses {} audit events, which were quarantined",
                self.quarantined
            ))
        } else {
            None
        }
    }
}

/// The account at the end of a shutdown. `enqueued = delivered + dropped + queued` holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Events enqueued by callers, and gap records.
    pub enqueued: u64,
    /// Events delivered.
    pub delivered: u64,
    /// Events dropped, quarantined ones included.
    pub dropped: u64,
    /// Dropped events that were delivered after all, from the [primary store](crate::Backfill).
    pub backfilled: u64,
    /// Events not delivered before the deadline.
    pub queued: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { enqueued, delivered, dropped, backfilled, queued } = self;
        write!(f, "{enqueued} audit events: {delivered} delivered, {dropped} dropped")?;
        if *backfilled > 0 {
            write!(f, " of which the primary store filled in {backfilled}")?;
        }
        write!(f, ", {queued} queued")
    }
}
