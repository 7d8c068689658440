//! What was written on a connection and is not yet released.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A batch that was written whole.
struct Written {
    /// The number after its last event.
    event: u64,
    /// The bytes written on this connection up to its end.
    offset: u64,
    /// What [`Window::heard`] was when it was acknowledged.
    acknowledged_at: Option<Duration>,
}

#[derive(Default)]
pub(super) struct Window {
    written: u64,
    /// Of them, those that the relay's TCP stack was last known to have.
    acknowledged: u64,
    /// When it was last seen to have more than before, or all of them.
    last_heard: Option<Instant>,
    /// The time in which a grace passes: without most of that in which nothing was heard.
    heard: Duration,
    batches: VecDeque<Written>,
}

impl Window {
    pub(super) fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    /// So many more bytes were given to the socket.
    pub(super) fn wrote(&mut self, bytes: usize) {
        self.written += bytes as u64;
    }

    /// With them, a batch that ends before event number `event`.
    pub(super) fn batch_ends(&mut self, event: u64) {
        self.batches.push_back(Written {
            event,
            offset: self.written,
            acknowledged_at: None,
        });
    }

    /// The ends of the batches that the relay's TCP stack has, and was not known to have, when it lacks so many of the bytes
    /// written. Of the time since it was last heard of, `silence` counts at most.
    pub(super) fn acknowledged(
        &mut self,
        lacking: u64,
        now: Instant,
        silence: Duration,
    ) -> impl Iterator<Item = u64> {
        let offset = self.written.saturating_sub(lacking);
        if lacking == 0 || offset > self.acknowledged {
            let last = self.last_heard.replace(now).unwrap_or(now);
            self.heard += (now - last).min(silence);
        }
        self.acknowledged = offset;
        let heard = self.heard;
        // Those at the front were seen before.
        let seen = self
            .batches
            .partition_point(|b| b.acknowledged_at.is_some());
        let batches = self.batches.range_mut(seen..);
        let acknowledged = batches.take_while(move |batch| batch.offset <= offset);
        acknowledged.map(move |batch| {
            batch.acknowledged_at = Some(heard);
            batch.event
        })
    }

    /// Whether a relay that lacks something has been silent for longer than that. It may be gone with what it had not read, and the
    /// network that would say so with it.
    pub(super) fn is_silent(&self, now: Instant, silence: Duration) -> bool {
        self.last_heard.is_some_and(|last| now > last + silence)
    }

    /// The ends of all batches, for a relay that has them for good.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = u64> {
        self.batches.drain(..).map(|batch| batch.event)
    }

    /// The next number up to which events have waited out their grace.
    pub(super) fn graced(&mut self, grace: Duration) -> Option<u64> {
        let batch = self.batches.front()?;
        if self.heard < batch.acknowledged_at? + grace {
            return None;
        }
        self.batches.pop_front().map(|batch| batch.event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_released_once_it_was_acknowledged_whole_and_its_grace_has_passed() {
        let grace = Duration::from_millis(500);
        let start = Instant::now();
        let mut window = Window::default();
        window.wrote(200);
        window.batch_ends(10);
        window.wrote(100);
        window.batch_ends(20);
        let look = |window: &mut Window, lacking, after| {
            let ends = window.acknowledged(lacking, start + after, grace);
            ends.collect::<Vec<_>>()
        };
        assert_eq!(look(&mut window, 101, Duration::ZERO), []);
        assert_eq!(look(&mut window, 100, Duration::ZERO), [10]);
        let early = grace - Duration::from_millis(1);
        // A later sample does not start the grace anew.
        assert_eq!(look(&mut window, 0, early), [20]);
        assert_eq!(window.graced(grace), None);
        assert_eq!(look(&mut window, 0, grace), []);
        assert_eq!(window.graced(grace), Some(10));
        assert_eq!(window.graced(grace), None);
        assert_eq!(look(&mut window, 0, early + grace), []);
        assert_eq!(window.graced(grace), Some(20));
        assert!(window.is_empty());
    }

    #[test]
    fn the_time_in_which_a_relay_that_lacks_something_is_silent_hardly_counts() {
        let (silence, grace) = (Duration::from_millis(200), Duration::from_millis(500));
        let start = Instant::now();
        let mut window = Window::default();
        window.wrote(200);
        window.batch_ends(10);
        assert!(window.acknowledged(0, start, silence).eq([10]));
        window.wrote(100);
        window.batch_ends(20);
        for silent in 1..100 {
            let now = start + grace * silent;
            assert_eq!(window.acknowledged(100, now, silence).count(), 0);
            assert_eq!(window.graced(grace), None);
            assert!(window.is_silent(now, silence));
        }
        // A byte more is a sign of life, from which on what is left of the grace passes.
        let back = start + grace * 100;
        assert_eq!(window.acknowledged(99, back, silence).count(), 0);
        assert!(!window.is_silent(back, silence));
        assert_eq!(window.graced(grace), None);
        for (after, delivered) in [(200, None), (300, Some(10)), (500, None)] {
            let now = back + Duration::from_millis(after);
            let lacking = 99 - after / 10;
            assert_eq!(window.acknowledged(lacking, now, silence).count(), 0);
            assert_eq!(window.graced(grace), delivered, "{after}");
        }
    }
}
