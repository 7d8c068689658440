//! What was written on a connection and is not yet released.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// A batch that was written whole.
struct Written {
    /// The number after its last event.
    event: u64,
    /// The bytes written on this connection up to its end.
    offset: u64,
    acked_at: Option<Instant>,
}

#[derive(Default)]
pub(super) struct Window {
    written: u64,
    /// Of them, those that the relay's TCP stack was last known to have.
    acked: u64,
    /// When it was last seen to have more than before, or all of them.
    alive: Option<Instant>,
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
            acked_at: None,
        });
    }

    /// The ends of the batches that the relay's TCP stack has, and was not known to have, when it lacks so many of the bytes
    /// written.
    pub(super) fn acknowledged(&mut self, lacking: u64, now: Instant) -> impl Iterator<Item = u64> {
        let offset = self.written.saturating_sub(lacking);
        if lacking == 0 || offset > self.acked {
            self.alive = Some(now);
        }
        self.acked = offset;
        // Those at the front were seen before.
        let seen = self.batches.partition_point(|b| b.acked_at.is_some());
        let batches = self.batches.range_mut(seen..);
        let acked = batches.take_while(move |batch| batch.offset <= offset);
        acked.map(move |batch| {
            batch.acked_at = Some(now);
            batch.event
        })
    }

    /// The ends of all batches, for a relay that has them for good.
    pub(super) fn drain(&mut self) -> impl Iterator<Item = u64> {
        self.batches.drain(..).map(|batch| batch.event)
    }

    /// The next number up to which events have waited out their grace. A relay that acknowledges nothing of what came later may be gone
    /// with what it had not read, and the network that would say so with it: the time in which nothing is heard of it does not count.
    pub(super) fn graced(&mut self, grace: Duration) -> Option<u64> {
        let batch = self.batches.front()?;
        if self.alive? < batch.acked_at? + grace {
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
        assert_eq!(window.acknowledged(101, start).count(), 0);
        assert!(window.acknowledged(100, start).eq([10]));
        let early = start + grace - Duration::from_millis(1);
        // A later sample does not start the grace anew.
        assert!(window.acknowledged(0, early).eq([20]));
        assert_eq!(window.graced(grace), None);
        assert_eq!(window.acknowledged(0, start + grace).count(), 0);
        assert_eq!(window.graced(grace), Some(10));
        assert_eq!(window.graced(grace), None);
        assert_eq!(window.acknowledged(0, early + grace).count(), 0);
        assert_eq!(window.graced(grace), Some(20));
        assert!(window.is_empty());
    }

    #[test]
    fn while_a_relay_that_lacks_something_is_silent_nothing_is_released() {
        let grace = Duration::from_millis(500);
        let start = Instant::now();
        let mut window = Window::default();
        window.wrote(200);
        window.batch_ends(10);
        assert!(window.acknowledged(0, start).eq([10]));
        window.wrote(100);
        window.batch_ends(20);
        for silent in 1..100 {
            assert_eq!(window.acknowledged(100, start + grace * silent).count(), 0);
            assert_eq!(window.graced(grace), None);
        }
        // A byte more is a sign of life.
        assert_eq!(window.acknowledged(99, start + grace * 100).count(), 0);
        assert_eq!(window.graced(grace), Some(10));
        assert_eq!(window.graced(grace), None);
    }
}
