//! What a forwarder says of itself.

use std::fmt;

use serde::Serialize;

cap_names::closed_enum! {
    /// Where the forwarder stands with its relay.
    #[non_exhaustive]
    pub enum State: "forwarder state" {
        /// Not connected yet, or between two attempts.
        Connecting = "connecting",
        /// Connected.
        Connected = "connected",
        /// Shut down.
        Stopped = "stopped",
    }
}

impl Serialize for State {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// A snapshot. At every moment `enqueued = released + dropped + queued`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// Where it stands with its relay.
    pub state: State,
    /// Events accepted from callers, and gap records.
    pub enqueued: u64,
    /// Events that the relay acknowledged and that left the buffer.
    pub released: u64,
    /// Events that made room for newer ones.
    pub dropped: u64,
    /// Events in the buffer, unsent or not yet released.
    pub queued: u64,
    /// Events the buffer holds at most.
    pub capacity: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// What ended the last connection or attempt.
    pub last_error: Option<String>,
}

impl Status {
    /// What a person should be told: the buffer drops, or the relay is away.
    pub fn warning(&self) -> Option<String> {
        let error = self
            .last_error
            .as_deref()
            .unwrap_or("the relay is too slow");
        if self.dropped > 0 && self.queued >= self.capacity {
            Some(format!(
                "The syslog buffer is full and the oldest events are being dropped ({} so far): {error}",
                self.dropped
            ))
        } else if self.state == State::Connecting && self.last_error.is_some() {
            Some(format!(
                "The syslog relay is not connected, {} of {} events are buffered: {error}",
                self.queued, self.capacity
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
    pub released: u64,
    /// Events that made room for newer ones.
    pub dropped: u64,
    /// Events that the relay did not acknowledge before the deadline.
    pub queued: u64,
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Report {
            enqueued,
            released,
            dropped,
            queued,
        } = self;
        write!(
            f,
            "{enqueued} audit events: {released} delivered, {dropped} dropped, {queued} left"
        )
    }
}
