//! The events that a relay did not get, and the record that reports them.

use cap_names::{Actor, Severity};

use crate::event::{Event, FIXED_LIMIT};

/// A run of dropped events.
///
/// It grows inside of `enqueue`, so it allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    count: u64,
    /// Those of them that the relay refuses.
    refused: u64,
    first_id: Id,
    last_id: Id,
}

/// An event id, which has at most [`FIXED_LIMIT`] bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Id {
    bytes: [u8; FIXED_LIMIT],
    length: usize,
}

/// Why an event is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    Full,
    Refused,
}

impl Gap {
    pub(super) fn one(event_id: &[u8], reason: Reason) -> Self {
        let id = Id::new(event_id);
        Self {
            count: 1,
            refused: u64::from(reason == Reason::Refused),
            first_id: id.clone(),
            last_id: id,
        }
    }

    pub(super) fn followed_by(self, later: Self) -> Self {
        Self {
            count: self.count + later.count,
            refused: self.refused + later.refused,
            first_id: self.first_id,
            last_id: later.last_id,
        }
    }

    /// The id of the first dropped event.
    pub(crate) fn first_id(&self) -> &str {
        self.first_id.as_str()
    }

    /// The id of the last dropped event.
    pub(crate) fn last_id(&self) -> &str {
        self.last_id.as_str()
    }

    /// Whether it has an event that the relay may take.
    pub(super) fn can_be_filled(&self) -> bool {
        self.count > self.refused
    }

    /// The gap that remains when `found` of its events were found.
    pub(crate) fn without(mut self, found: u64) -> Option<Self> {
        self.count = self.count.saturating_sub(found);
        self.refused = self.refused.min(self.count);
        self.can_be_filled().then_some(self)
    }

    pub(super) fn event(&self) -> Event {
        let Self { count, refused, .. } = self;
        let summary = match (count - refused, refused) {
            (full, 0) => format!(
                "{full} audit events were dropped before this one because the syslog buffer was full"
            ),
            (0, refused) => format!(
                "{refused} audit events were left out before this one because the relay refused them"
            ),
            (full, refused) => format!(
                "{full} audit events were dropped before this one because the syslog buffer was full, and {refused} left out \
                 because the relay refused them"
            ),
        };
        let event = Event::new(
            // With the count, a wider gap is another event for readers that drop duplicates.
            format!("gap-{count}-{}", self.first_id()),
            "syslog.gap",
            Actor::system("syslog"),
            summary,
        )
        .severity(Severity::Warn)
        .param("dropped", count.to_string())
        .param("first_event_id", self.first_id())
        .param("last_event_id", self.last_id());
        match refused {
            0 => event,
            refused => event.param("refused", refused.to_string()),
        }
    }
}

impl Id {
    fn new(id: &[u8]) -> Self {
        let mut bytes = [0; FIXED_LIMIT];
        let length = id.len().min(FIXED_LIMIT);
        bytes[..length].copy_from_slice(&id[..length]);
        Self { bytes, length }
    }

    fn as_str(&self) -> &str {
        std::str::from_utf8(&self.bytes[..self.length]).unwrap_or_default()
    }
}
