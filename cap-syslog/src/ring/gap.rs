//! The record of a hole in what the relay gets.

use cap_names::{Actor, Severity};

use crate::event::Event;

/// A run of events that were dropped.
///
/// Callers make it grow, an event at a time, so it takes over what it needs of the event and allocates nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    count: u64,
    /// Of them, those that the relay would not take.
    refused: u64,
    first_id: String,
    /// Unless it is the first.
    last_id: Option<String>,
}

/// Why an event is dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    Full,
    Refused,
}

impl Gap {
    pub(super) fn one(event_id: String, why: Why) -> Self {
        Gap {
            count: 1,
            refused: u64::from(why == Why::Refused),
            first_id: event_id,
            last_id: None,
        }
    }

    pub(super) fn followed_by(self, later: Gap) -> Self {
        Gap {
            count: self.count + later.count,
            refused: self.refused + later.refused,
            first_id: self.first_id,
            last_id: Some(later.last_id.unwrap_or(later.first_id)),
        }
    }

    /// The id of the first event that was dropped.
    pub(crate) fn first_id(&self) -> &str {
        &self.first_id
    }

    /// The id of the last one.
    pub(crate) fn last_id(&self) -> &str {
        self.last_id.as_ref().unwrap_or(&self.first_id)
    }

    /// There is something in it that the relay may take.
    pub(super) fn can_be_filled(&self) -> bool {
        self.count > self.refused
    }

    /// What is still missing, when so many of its events were found.
    pub(crate) fn without(mut self, found: u64) -> Option<Self> {
        self.count = self.count.saturating_sub(found);
        self.refused = self.refused.min(self.count);
        self.can_be_filled().then_some(self)
    }

    pub(super) fn event(&self) -> Event {
        let Gap { count, refused, .. } = self;
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
            // The count makes a wider gap another event, for readers that drop duplicates.
            format!("gap-{count}-{}", self.first_id),
            "syslog.gap",
            Actor::system("syslog"),
            summary,
        )
        .severity(Severity::Warn)
        .param("dropped", count.to_string())
        .param("first_event_id", &self.first_id)
        .param("last_event_id", self.last_id());
        match refused {
            0 => event,
            refused => event.param("refused", refused.to_string()),
        }
    }
}
