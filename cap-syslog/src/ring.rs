//! The bounded buffer: events from the oldest to the newest, and how far they are sent and
//! acknowledged.

use std::collections::VecDeque;

use crate::event::{Event, EventRef, Head};

mod arena;
mod gap;

use arena::{Arena, LONGEST, Page, Place};
pub(crate) use gap::Gap;
use gap::Reason;

/// Events that the thread handles under one lock. Callers wait for that lock, and for so few they
/// spin instead of sleeping.
pub(crate) const CHUNK: usize = 4;

/// Unsent events that end the wait for more of them.
const BATCH_READY: u64 = 128;

/// Events are numbered in the order in which they came, and `first` is the number of the oldest one
/// in the ring.
///
/// Callers wait for the lock around the ring, so memory that is to be freed is returned, and freed
/// after the lock. That is seldom: the ring copies the text of an event, and the thread that
/// allocated the event frees it. Allocators are slow when one thread allocates and another frees
/// half a second later, and such use fragments the heap.
#[derive(Debug)]
pub(crate) struct Ring {
    entries: VecDeque<Entry>,
    arena: Arena,
    capacity: usize,
    first: u64,
    sent: u64,
    acknowledged: u64,
    gap: Option<Gap>,
    /// The sender waits for more events, and a single event need not wake it.
    gathering: bool,
    pub(crate) enqueued: u64,
    pub(crate) delivered: u64,
    pub(crate) dropped: u64,
    /// The dropped events that the relay refuses.
    pub(crate) quarantined: u64,
}

#[derive(Debug)]
struct Entry {
    head: Head,
    text: Text,
}

#[derive(Debug)]
enum Text {
    Copied(Place),
    Own {
        text: String,
        /// The gap that this event reports, if it is a gap record.
        gap: Option<Box<Gap>>,
    },
}

/// Memory of an event that left, to be freed after the lock.
#[derive(Debug)]
pub(crate) struct Deferred(#[expect(dead_code, reason = "it is only freed")] Memory);

#[derive(Debug)]
#[expect(dead_code, reason = "it is only freed")]
enum Memory {
    Page(Page),
    Own(Text),
}

impl Ring {
    pub(crate) fn new(capacity: usize) -> Self {
        let mut ring = Self::without_reserve(capacity);
        ring.entries.reserve(capacity.min(16 * 1024));
        ring.arena = Arena::with_room_for(capacity);
        ring
    }

    /// A ring that is seldom used, and allocates when it is.
    pub(crate) fn without_reserve(capacity: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            arena: Arena::with_room_for(0),
            capacity,
            first: 0,
            sent: 0,
            acknowledged: 0,
            gap: None,
            gathering: false,
            enqueued: 0,
            delivered: 0,
            dropped: 0,
            quarantined: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// The number of the oldest event held.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// Sets the capacity. A smaller one drops the oldest events.
    pub(crate) fn resize(&mut self, capacity: usize) {
        self.capacity = capacity;
        while self.entries.len() > capacity {
            self.make_room();
        }
        self.entries.shrink_to(capacity.min(16 * 1024));
    }

    /// Adds an event. If the ring is full, the oldest event leaves: as delivered if the relay has
    /// acknowledged it and only its grace is not over, else as dropped. The caller frees `event`
    /// and the returned memory after the lock.
    pub(crate) fn push(&mut self, event: &mut Event) -> Option<Deferred> {
        let mut deferred = None;
        while self.entries.len() >= self.capacity {
            deferred = self.make_room();
        }
        self.enqueued += 1;
        let (text, head) = event.parts();
        let text = if text.len() <= LONGEST {
            Text::Copied(self.arena.push(text.as_bytes()))
        } else {
            let text = event.take_text();
            Text::Own { text, gap: None }
        };
        self.entries.push_back(Entry { head, text });
        deferred
    }

    /// Whether a new event has to wake the sender.
    pub(crate) fn should_wake(&self) -> bool {
        !self.gathering || self.has_batch()
    }

    /// Starts or ends the sender's wait for more events. Returns whether it waits; it does not if a
    /// batch is ready.
    pub(crate) fn gather(&mut self, gathering: bool) -> bool {
        self.gathering = gathering && !self.has_batch();
        self.gathering
    }

    /// Enough events for a batch are unsent, or so many that the ring may become full.
    fn has_batch(&self) -> bool {
        let unsent = self.first + self.entries.len() as u64 - self.sent;
        unsent >= BATCH_READY.min(self.capacity as u64 / 2)
    }

    fn make_room(&mut self) -> Option<Deferred> {
        if self.first < self.acknowledged {
            self.first += 1;
            self.delivered += 1;
            return self.pop();
        }
        self.drop_first(Reason::Full)
    }

    fn drop_first(&mut self, reason: Reason) -> Option<Deferred> {
        let entry = self.entries.front_mut()?;
        let reported = match &mut entry.text {
            Text::Own { gap, .. } => gap.take(),
            Text::Copied(_) => None,
        };
        let [id, ..] = entry.view(&self.arena).required();
        let one = || Gap::one(id, reason);
        self.gap = Some(match (reported, self.gap.take()) {
            // The events that a gap record reported are older than everything dropped after it.
            (Some(reported), Some(since)) => reported.followed_by(since),
            (Some(reported), None) => *reported,
            (None, Some(earlier)) => earlier.followed_by(one()),
            (None, None) => one(),
        });
        self.dropped += 1;
        self.first += 1;
        self.sent = self.sent.max(self.first);
        self.acknowledged = self.acknowledged.max(self.first);
        self.pop()
    }

    /// Removes the oldest event.
    fn pop(&mut self) -> Option<Deferred> {
        match self.entries.pop_front()?.text {
            Text::Copied(_) => self.arena.pop().map(Memory::Page).map(Deferred),
            own @ Text::Own { .. } => Some(Deferred(Memory::Own(own))),
        }
    }

    /// Drops the event of this number, if it is still the oldest, because the relay refuses it.
    pub(crate) fn quarantine(&mut self, number: u64) {
        if self.first == number && !self.entries.is_empty() {
            self.drop_first(Reason::Refused);
            self.quarantined += 1;
        }
    }

    /// The number at which the next batch begins. After a drop, that is the gap record.
    pub(crate) fn next(&mut self) -> u64 {
        if let Some(gap) = self.gap.take() {
            self.report(gap);
        }
        self.sent
    }

    /// Inserts a gap record where the next batch begins.
    pub(crate) fn report(&mut self, gap: Gap) {
        self.enqueued += 1;
        let at = (self.sent - self.first) as usize;
        let mut event = gap.event();
        let (_, head) = event.parts();
        let (text, gap) = (event.take_text(), Some(Box::new(gap)));
        let text = Text::Own { text, gap };
        self.entries.insert(at, Entry { head, text });
    }

    /// Takes the gap before the next batch, to be filled, if it has events that the relay does not
    /// refuse.
    pub(crate) fn take_gap(&mut self) -> Option<Gap> {
        self.gap.take_if(|gap| gap.can_be_filled())
    }

    /// The events from this number on, each with its number.
    pub(crate) fn from(&self, number: u64) -> impl Iterator<Item = (u64, EventRef<'_>)> {
        let start = number.max(self.first);
        let skip = (start - self.first) as usize;
        let entries = self.entries.iter().skip(skip);
        (start..).zip(entries.map(|entry| entry.view(&self.arena)))
    }

    /// Whether every event was written to the connection.
    pub(crate) fn all_sent(&self) -> bool {
        self.gap.is_none() && self.sent == self.first + self.entries.len() as u64
    }

    /// The events before number `end` were written to the connection.
    pub(crate) fn sent_to(&mut self, end: u64) {
        self.sent = self.sent.max(end);
    }

    /// The relay's TCP stack has the events before number `end`.
    pub(crate) fn acknowledged_to(&mut self, end: u64) {
        self.acknowledged = self.acknowledged.max(end.min(self.sent));
    }

    /// The relay may have lost what it acknowledged: if such an event has to leave, it counts as
    /// dropped.
    pub(crate) fn doubt(&mut self) {
        self.acknowledged = self.first;
    }

    /// The events before number `end` are delivered. Removes the oldest [`CHUNK`] of them; call it
    /// until it returns `None`. The caller frees the returned memory after the lock.
    pub(crate) fn release_to(&mut self, end: u64) -> Option<Vec<Deferred>> {
        let held = self.entries.len().min(CHUNK) as u64;
        let count = end.saturating_sub(self.first).min(held);
        self.first += count;
        self.delivered += count;
        self.sent = self.sent.max(self.first);
        self.acknowledged = self.acknowledged.max(self.first);
        let deferred = (0..count).filter_map(|_| self.pop()).collect();
        (count > 0).then_some(deferred)
    }

    /// The connection is gone: the events that are not delivered are sent again.
    pub(crate) fn rewind(&mut self) {
        self.sent = self.first;
        self.acknowledged = self.first;
    }
}

impl Entry {
    #[inline]
    fn view<'a>(&'a self, arena: &'a Arena) -> EventRef<'a> {
        let text = match &self.text {
            Text::Copied(place) => arena.get(*place),
            Text::Own { text, .. } => text.as_bytes(),
        };
        EventRef::new(text, &self.head)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_names::Actor;

    fn event(id: &str) -> Event {
        Event::new(id, "t", Actor::system("test"), "m")
    }

    fn ring(capacity: usize, ids: &[&str]) -> Ring {
        let mut ring = Ring::new(capacity);
        for id in ids {
            ring.push(&mut event(id));
        }
        ring
    }

    /// Ids and parameters of the next batch, and the number after its last event.
    fn unsent(ring: &mut Ring, limit: usize) -> (Vec<(String, Vec<String>)>, u64) {
        let next = ring.next();
        let text = |value: &[u8]| String::from_utf8(value.to_vec()).expect("text");
        let batch = ring.from(next).take(limit);
        let batch = batch.map(|(_, event)| {
            let params = event.params().map(|(_, value)| text(value));
            (text(event.required()[0]), params.collect())
        });
        let batch: Vec<_> = batch.collect();
        let end = next + batch.len() as u64;
        (batch, end)
    }

    fn ids(batch: &[(String, Vec<String>)]) -> Vec<&str> {
        batch.iter().map(|(id, _)| id.as_str()).collect()
    }

    fn closes(ring: &Ring) {
        assert_eq!(ring.enqueued, ring.delivered + ring.dropped + ring.len() as u64);
    }

    #[test]
    fn a_full_buffer_drops_the_oldest_and_reports_the_gap() {
        let mut ring = ring(2, &["a", "b", "c", "d", "e"]);
        assert_eq!(ring.dropped, 3);
        let (batch, end) = unsent(&mut ring, 10);
        assert_eq!(ids(&batch), ["gap-3-a", "d", "e"]);
        assert_eq!(batch[0].1, ["3", "a", "c"]);
        ring.sent_to(end);
        ring.release_to(end);
        closes(&ring);
        assert_eq!(ring.delivered, 3);
    }

    #[test]
    fn a_gathering_sender_is_woken_only_for_a_batch_or_little_room() {
        let (mut large, mut small) = (ring(10_000, &["a"]), ring(10, &["a"]));
        assert!(large.should_wake() && small.should_wake());
        assert!(large.gather(true) && small.gather(true));
        for (ring, enough) in [(&mut large, BATCH_READY), (&mut small, 5)] {
            for _ in 1..enough {
                assert!(!ring.should_wake());
                ring.push(&mut event("b"));
            }
            assert!(ring.should_wake());
            assert!(!ring.gather(true), "a batch is ready");
            ring.sent_to(ring.first() + enough);
            assert!(ring.gather(true));
            assert!(!ring.should_wake());
            ring.gather(false);
            assert!(ring.should_wake());
        }
    }

    #[test]
    fn events_of_every_length_and_gap_records_stand_side_by_side() {
        let mut ring = Ring::new(4);
        let long = "z".repeat(2 * LONGEST);
        for (id, value) in
            [("a", "1"), ("b", "2"), ("c", &long), ("d", "4"), ("e", &long), ("f", "6")]
        {
            ring.push(&mut event(id).param("p", value));
        }
        let (batch, end) = unsent(&mut ring, 10);
        assert_eq!(ids(&batch), ["gap-2-a", "c", "d", "e", "f"]);
        let values = batch[1..].iter().map(|(_, params)| params[0].as_str());
        assert!(values.eq([&long, "4", &long, "6"]));
        let mut returned = 0;
        while let Some(freed) = ring.release_to(end) {
            returned += freed.len();
        }
        assert_eq!(returned, 3, "of the others, no memory is freed");
        closes(&ring);
    }

    #[test]
    fn what_is_acknowledged_is_released_before_anything_is_dropped() {
        let mut ring = ring(3, &["a", "b", "c"]);
        let (_, end) = unsent(&mut ring, 2);
        ring.sent_to(end);
        ring.acknowledged_to(end);
        ring.push(&mut event("d"));
        ring.push(&mut event("e"));
        assert_eq!((ring.delivered, ring.dropped), (2, 0));
        ring.push(&mut event("f"));
        assert_eq!((ring.delivered, ring.dropped), (2, 1));
        closes(&ring);
    }

    #[test]
    fn an_acknowledged_event_in_doubt_counts_as_dropped() {
        let mut ring = ring(3, &["a", "b", "c"]);
        let (_, end) = unsent(&mut ring, 2);
        ring.sent_to(end);
        ring.acknowledged_to(end);
        ring.doubt();
        ring.push(&mut event("d"));
        assert_eq!((ring.delivered, ring.dropped), (0, 1));
        ring.acknowledged_to(end);
        ring.push(&mut event("e"));
        assert_eq!((ring.delivered, ring.dropped), (1, 1));
        closes(&ring);
    }

    #[test]
    fn a_lost_connection_sends_everything_unreleased_again() {
        let mut ring = ring(10, &["a", "b", "c"]);
        let (_, end) = unsent(&mut ring, 3);
        ring.sent_to(end);
        ring.acknowledged_to(2);
        ring.release_to(1);
        ring.rewind();
        assert_eq!(ids(&unsent(&mut ring, 10).0), ["b", "c"]);
        closes(&ring);
    }

    #[test]
    fn a_gap_record_that_is_dropped_itself_widens_the_next_one() {
        let mut ring = ring(2, &["a", "b", "c"]);
        let (batch, _) = unsent(&mut ring, 10);
        assert_eq!(ids(&batch), ["gap-1-a", "b", "c"]);
        ring.push(&mut event("d"));
        let (batch, _) = unsent(&mut ring, 10);
        assert_eq!(ids(&batch), ["gap-2-a", "c", "d"]);
        assert_eq!(batch[0].1[0], "2");
        closes(&ring);
    }

    #[test]
    fn a_gap_record_that_is_dropped_keeps_the_range_in_order() {
        let mut ring = ring(2, &["a", "b", "c"]);
        let (_, end) = unsent(&mut ring, 10);
        ring.sent_to(end);
        ring.push(&mut event("d"));
        ring.push(&mut event("e"));
        let (batch, _) = unsent(&mut ring, 10);
        assert_eq!(batch[0].1, ["3", "a", "c"]);
    }

    #[test]
    fn what_the_relay_refuses_is_dropped_and_named_as_refused() {
        let mut ring = ring(10, &["a", "b"]);
        ring.quarantine(1);
        assert_eq!(ring.dropped, 0, "only the oldest event can be quarantined");
        ring.quarantine(0);
        assert_eq!((ring.dropped, ring.quarantined), (1, 1));
        let (batch, _) = unsent(&mut ring, 10);
        assert_eq!(ids(&batch), ["gap-1-a", "b"]);
        assert_eq!(batch[0].1, ["1", "a", "a", "1"]);
        closes(&ring);
    }

    #[test]
    fn a_smaller_buffer_drops_the_oldest_and_a_larger_one_nothing() {
        let mut ring = ring(3, &["a", "b", "c"]);
        ring.resize(1);
        assert_eq!((ring.len(), ring.dropped), (1, 2));
        ring.resize(3);
        ring.push(&mut event("d"));
        assert_eq!(ids(&unsent(&mut ring, 10).0), ["gap-2-a", "c", "d"]);
        closes(&ring);
    }
}
