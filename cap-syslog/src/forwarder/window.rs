//! What was written on a connection and is not yet delivered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::cursor::Cursor;

/// A batch that was written whole.
struct Written {
    /// The position after its last event.
    end: Cursor,
    /// The bytes written on this connection up to its end.
    offset: u64,
    /// What [`Window::grace_clock`] was when it was acknowledged.
    acknowledged_at: Option<Duration>,
}

#[derive(Default)]
pub(super) struct Window {
    written: u64,
    /// Of the bytes written, those that the relay's TCP stack was last known to have.
    acknowledged: u64,
    /// When the relay was last seen to have more bytes than before, or all of them.
    last_heard: Option<Instant>,
    /// The time by which graces are measured. It leaves out most of a silence in which the relay
    /// acknowledged nothing.
    grace_clock: Duration,
    batches: VecDeque<Written>,
}

impl Window {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// The socket took so many more bytes.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// The last byte written ends a batch, whose last event is before `end`.
    pub(super) fn batch_ends(&mut self, end: Cursor) {
        self.batches.push_back(Written { end, offset: self.written, acknowledged_at: None });
    }

    /// The ends of the batches that are newly acknowledged when `unacknowledged` of the bytes
    /// written are not. Of the time since the relay was last heard, at most `max_silence` counts
    /// for the grace.
    pub(super) fn acknowledged(
        &mut self,
        unacknowledged: u64,
        now: Instant,
        max_silence: Duration,
    ) -> impl Iterator<Item = Cursor> {
        let offset = self.written.saturating_sub(unacknowledged);
        if unacknowledged == 0 || offset > self.acknowledged {
            let last = self.last_heard.replace(now).unwrap_or(now);
            self.grace_clock += (now - last).min(max_silence);
        }
        self.acknowledged = offset;
        let at = self.grace_clock;
        let known = self.batches.partition_point(|batch| batch.acknowledged_at.is_some());
        let batches = self.batches.range_mut(known..);
        let acknowledged = batches.take_while(move |batch| batch.offset <= offset);
        acknowledged.map(move |batch| {
            batch.acknowledged_at = Some(at);
            batch.end
        })
    }

    /// Whether bytes are unacknowledged and the relay was not heard for longer than `max_silence`.
    /// The relay may have died without a close of the connection.
    pub(super) fn is_silent(&self, now: Instant, max_silence: Duration) -> bool {
        self.last_heard.is_some_and(|last| now > last + max_silence)
    }

    /// The ends of all batches, for a relay that has read everything.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = Cursor> {
        self.batches.drain(..).map(|batch| batch.end)
    }

    /// Takes the oldest batch whose grace has passed; its end.
    pub(super) fn pop_graced(&mut self, grace: Duration) -> Option<Cursor> {
        let batch = self.batches.front()?;
        if self.grace_clock < batch.acknowledged_at? + grace {
            return None;
        }
        self.batches.pop_front().map(|batch| batch.end)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forwarder::cursor::Source;

    fn at(number: u64) -> Cursor {
        Cursor::new(Source::Buffer, number)
    }

    #[test]
    fn a_batch_is_delivered_when_acknowledged_whole_and_graced() {
        let grace = Duration::from_millis(500);
        let start = Instant::now();
        let mut window = Window::default();
        window.wrote(200);
        window.batch_ends(at(10));
        window.wrote(100);
        window.batch_ends(at(20));
        let look = |window: &mut Window, unacknowledged, after| {
            let ends = window.acknowledged(unacknowledged, start + after, grace);
            ends.collect::<Vec<_>>()
        };
        assert_eq!(look(&mut window, 101, Duration::ZERO), []);
        assert_eq!(look(&mut window, 100, Duration::ZERO), [at(10)]);
        let early = grace - Duration::from_millis(1);
        // A later sample does not restart the grace.
        assert_eq!(look(&mut window, 0, early), [at(20)]);
        assert_eq!(window.pop_graced(grace), None);
        assert_eq!(look(&mut window, 0, grace), []);
        assert_eq!(window.pop_graced(grace), Some(at(10)));
        assert_eq!(window.pop_graced(grace), None);
        assert_eq!(look(&mut window, 0, early + grace), []);
        assert_eq!(window.pop_graced(grace), Some(at(20)));
        assert!(window.is_empty());
    }

    #[test]
    fn most_of_a_silence_of_the_relay_does_not_count_for_the_grace() {
        let (silence, grace) = (Duration::from_millis(200), Duration::from_millis(500));
        let start = Instant::now();
        let mut window = Window::default();
        window.wrote(200);
        window.batch_ends(at(10));
        assert!(window.acknowledged(0, start, silence).eq([at(10)]));
        window.wrote(100);
        window.batch_ends(at(20));
        for silent in 1..100 {
            let now = start + grace * silent;
            assert_eq!(window.acknowledged(100, now, silence).count(), 0);
            assert_eq!(window.pop_graced(grace), None);
            assert!(window.is_silent(now, silence));
        }
        // One more acknowledged byte is a sign of life: the rest of the grace passes from here on.
        let back = start + grace * 100;
        assert_eq!(window.acknowledged(99, back, silence).count(), 0);
        assert!(!window.is_silent(back, silence));
        assert_eq!(window.pop_graced(grace), None);
        for (after, delivered) in [(200, None), (300, Some(at(10))), (500, None)] {
            let now = back + Duration::from_millis(after);
            let unacknowledged = 99 - after / 10;
            assert_eq!(window.acknowledged(unacknowledged, now, silence).count(), 0);
            assert_eq!(window.pop_graced(grace), delivered, "{after}");
        }
    }
}
