//! What a forwarder says of itself.

use std::fmt;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::config::Transport;
use crate::relay::RelayError;

cap_names::closed_enum! {
    /// Where the forwarder stands with its relay.
    #[non_exhaustive]
    pub enum State: "forwarder state" {
        /// Not connected yet, or between two attempts.
        Connecting = "connecting",
        /// Connected; over UDP: there is a socket, and nothing was refused since.
        Connected = "connected",
        /// Shut down.
        Stopped = "stopped",
    }
}

cap_names::closed_enum! {
    /// What an event waits for before it leaves the buffer.
    #[non_exhaustive]
    pub enum Confirmation: "confirmation" {
        /// The relay's TCP stack acknowledged it, and the grace passed.
        Acknowledged = "acknowledged",
        /// It was written, and the grace passed: the kernel does not tell what was acknowledged.
        Written = "written",
        /// It was handed to the network: datagrams are not confirmed.
        Sent = "sent",
    }
}

impl Confirmation {
    /// `told`: the kernel says what was acknowledged.
    pub(crate) fn of(transport: &Transport, told: bool) -> Self {
        match transport {
            Transport::Udp => Confirmation::Sent,
            _ if told => Confirmation::Acknowledged,
            _ => Confirmation::Written,
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

/// A snapshot. At every moment `enqueued = released + dropped + queued`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Where it stands with its relay.
    pub state: State,
    /// Since when.
    pub since: DateTime<Utc>,
    /// The relay it is connected to, or was last, as configured: `host:port`.
    pub relay: Option<String>,
    /// What an event waits for before it leaves the buffer.
    pub confirmation: Confirmation,
    /// Events accepted from callers, and gap records.
    pub enqueued: u64,
    /// Events that the relay acknowledged and that left the buffer.
    pub delivered: u64,
    /// Events that made room for newer ones, or were set aside.
    pub dropped: u64,
    /// Of the dropped, those set aside because the relay closes the connection on them, or the network takes no datagram as
    /// long.
    pub quarantined: u64,
    /// Of the dropped, those that were delivered after all, from the [primary store](crate::Backfill).
    pub backfilled: u64,
    /// Events in the buffer, unsent or not yet released.
    pub queued: u64,
    /// Events the buffer holds at most.
    pub capacity: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// When an event was last released.
    pub last_success: Option<DateTime<Utc>>,
    /// What ended the last connection or attempt.
    pub last_error: Option<RelayError>,
    /// When.
    pub last_error_at: Option<DateTime<Utc>>,
    /// What a person should be told: the buffer drops, or the relay is away.
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
                "The syslog relay refuses {} audit events, which were left out",
                self.quarantined
            ))
        } else {
            None
        }
    }
}

/// What a shutdown left. `enqueued = released + dropped + queued`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// Events accepted from callers, and gap records.
    pub enqueued: u64,
    /// Events that the relay acknowledged.
    pub delivered: u64,
    /// Events that made room for newer ones.
    pub dropped: u64,
    /// Of the dropped, those that were delivered after all, from the [primary store](crate::Backfill).
    pub backfilled: u64,
    /// Events that the relay did not acknowledge before the deadline.
    pub queued: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            enqueued,
            delivered,
            dropped,
            backfilled,
            queued,
        } = self;
        write!(
            f,
            "{enqueued} audit events: {delivered} delivered, {dropped} dropped"
        )?;
        if *backfilled > 0 {
            write!(f, " of which {backfilled} came from the primary store")?;
        }
        write!(f, ", {queued} left")
    }
}
