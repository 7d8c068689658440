//! The bounded buffer: events from oldest to newest, and how far sending and acknowledgement have come.

use std::collections::VecDeque;
use std::sync::Arc;

use cap_names::{Actor, Severity};

use crate::event::Event;

/// Events are numbered from 0 in the order they came; `first` is the number of the oldest one held.
#[derive(Debug)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    capacity: usize,
    first: u64,
    sent: u64,
    acked: u64,
    gap: Option<Gap>,
    pub(crate) enqueued: u64,
    pub(crate) released: u64,
    pub(crate) dropped: u64,
}

#[derive(Debug)]
struct Entry {
    event: Arc<Event>,
    /// Set on a synthetic event: the gap it reports.
    gap: Option<Gap>,
}

/// A run of events that were dropped.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Gap {
    count: u64,
    first_id: String,
    last_id: String,
}

impl Gap {
    fn one(event: &Event) -> Self {
        Gap {
            count: 1,
            first_id: event.id.clone(),
            last_id: event.id.clone(),
        }
    }

    fn followed_by(self, later: Gap) -> Self {
        Gap {
            count: self.count + later.count,
            first_id: self.first_id,
            last_id: later.last_id,
        }
    }

    fn event(&self) -> Event {
        let summary = format!(
            "{} audit events were dropped before this one because the syslog buffer was full",
            self.count
        );
        Event::new(
            // The count makes a wider gap another event, for readers that drop duplicates.
            format!("gap-{}-{}", self.count, self.first_id),
            "syslog.gap",
            Actor::system("syslog"),
            summary,
        )
        .severity(Severity::Warn)
        .param("dropped", self.count.to_string())
        .param("first_event_id", self.first_id.clone())
        .param("last_event_id", self.last_id.clone())
    }
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Self {
        Ring {
            entries: VecDeque::with_capacity(capacity.min(16 * 1024)),
            capacity,
            first: 0,
            sent: 0,
            acked: 0,
            gap: None,
            enqueued: 0,
            released: 0,
            dropped: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Adds an event; when the buffer is full, the oldest makes room. One that the relay has acknowledged and that only waits
    /// out its grace counts as released, any other as dropped.
    pub(crate) fn push(&mut self, event: Event) {
        while self.entries.len() >= self.capacity {
            self.make_room();
        }
        self.enqueued += 1;
        self.entries.push_back(Entry {
            event: Arc::new(event),
            gap: None,
        });
    }

    fn make_room(&mut self) {
        if self.first < self.acked {
            self.release_to(self.first + 1);
            return;
        }
        let Some(entry) = self.entries.pop_front() else {
            return;
        };
        self.dropped += 1;
        self.first += 1;
        self.sent = self.sent.max(self.first);
        self.acked = self.acked.max(self.first);
        self.gap = Some(match (entry.gap, self.gap.take()) {
            // What a gap record reported came before everything that was dropped since it was made.
            (Some(reported), Some(since)) => reported.followed_by(since),
            (Some(reported), None) => reported,
            (None, Some(earlier)) => earlier.followed_by(Gap::one(&entry.event)),
            (None, None) => Gap::one(&entry.event),
        });
    }

    /// The next events to send, at most `limit`, and the number after the last of them. After a drop, the first is the record
    /// of the gap.
    pub(crate) fn unsent(&mut self, limit: usize) -> (Vec<Arc<Event>>, u64) {
        if let Some(gap) = self.gap.take() {
            self.enqueued += 1;
            let at = (self.sent - self.first) as usize;
            let entry = Entry {
                event: Arc::new(gap.event()),
                gap: Some(gap),
            };
            self.entries.insert(at, entry);
        }
        let skip = (self.sent - self.first) as usize;
        let batch: Vec<_> = self
            .entries
            .iter()
            .skip(skip)
            .take(limit)
            .map(|entry| Arc::clone(&entry.event))
            .collect();
        let end = self.sent + batch.len() as u64;
        (batch, end)
    }

    /// Everything before number `end` was written to the connection.
    pub(crate) fn sent_to(&mut self, end: u64) {
        self.sent = self.sent.max(end);
    }

    /// The relay's TCP stack has everything before number `end`.
    pub(crate) fn acked_to(&mut self, end: u64) {
        self.acked = self.acked.max(end.min(self.sent));
    }

    /// Everything before number `end` is delivered.
    pub(crate) fn release_to(&mut self, end: u64) {
        while self.first < end && self.entries.pop_front().is_some() {
            self.first += 1;
            self.released += 1;
        }
        self.sent = self.sent.max(self.first);
        self.acked = self.acked.max(self.first);
    }

    /// The connection is gone: what was not released is to be sent again.
    pub(crate) fn rewind(&mut self) {
        self.sent = self.first;
        self.acked = self.first;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(id: &str) -> Event {
        Event::new(id, "t", Actor::system("test"), "m")
    }

    fn ring(capacity: usize, ids: &[&str]) -> Ring {
        let mut ring = Ring::new(capacity);
        ids.iter().for_each(|id| ring.push(event(id)));
        ring
    }

    fn ids(batch: &[Arc<Event>]) -> Vec<&str> {
        batch.iter().map(|event| event.id()).collect()
    }

    fn closes(ring: &Ring) {
        assert_eq!(
            ring.enqueued,
            ring.released + ring.dropped + ring.len() as u64
        );
    }

    #[test]
    fn a_full_buffer_drops_the_oldest_and_the_next_record_names_the_gap() {
        let mut ring = ring(2, &["a", "b", "c", "d", "e"]);
        assert_eq!(ring.dropped, 3);
        let (batch, end) = ring.unsent(10);
        assert_eq!(ids(&batch), ["gap-3-a", "d", "e"]);
        let params: Vec<_> = batch[0]
            .params
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(params, ["3", "a", "c"]);
        ring.sent_to(end);
        ring.release_to(end);
        closes(&ring);
        assert_eq!(ring.released, 3);
    }

    #[test]
    fn what_is_acknowledged_is_released_before_anything_is_dropped() {
        let mut ring = ring(3, &["a", "b", "c"]);
        let (_, end) = ring.unsent(2);
        ring.sent_to(end);
        ring.acked_to(end);
        ring.push(event("d"));
        ring.push(event("e"));
        assert_eq!((ring.released, ring.dropped), (2, 0));
        ring.push(event("f"));
        assert_eq!((ring.released, ring.dropped), (2, 1));
        closes(&ring);
    }

    #[test]
    fn a_lost_connection_sends_everything_unreleased_again() {
        let mut ring = ring(10, &["a", "b", "c"]);
        let (_, end) = ring.unsent(3);
        ring.sent_to(end);
        ring.acked_to(2);
        ring.release_to(1);
        ring.rewind();
        assert_eq!(ids(&ring.unsent(10).0), ["b", "c"]);
        closes(&ring);
    }

    #[test]
    fn a_gap_record_that_is_dropped_itself_widens_the_next_one() {
        let mut ring = ring(2, &["a", "b", "c"]);
        let (batch, _) = ring.unsent(10);
        assert_eq!(ids(&batch), ["gap-1-a", "b", "c"]);
        ring.push(event("d"));
        let (batch, _) = ring.unsent(10);
        assert_eq!(ids(&batch), ["gap-2-a", "c", "d"]);
        assert_eq!(batch[0].params[0].1, "2");
        closes(&ring);
    }

    #[test]
    fn a_gap_record_dropped_after_later_events_still_names_the_range_from_old_to_new() {
        let mut ring = ring(2, &["a", "b", "c"]);
        let (_, end) = ring.unsent(10);
        ring.sent_to(end);
        ring.push(event("d"));
        ring.push(event("e"));
        let (batch, _) = ring.unsent(10);
        let params: Vec<_> = batch[0]
            .params
            .iter()
            .map(|(_, value)| value.as_str())
            .collect();
        assert_eq!(params, ["3", "a", "c"]);
    }
}
