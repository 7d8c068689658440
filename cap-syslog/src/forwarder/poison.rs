//! The search for a poison event: one on which the relay closes the connection, and which would
//! hold up all others.
//!
//! A connection that ends before it delivered anything makes the events it carried suspects. After
//! three such connections in a row with the same oldest event, batches go one at a time, and each
//! failure halves them. When the oldest event failed three times alone, the test event (the canary)
//! goes first. If the relay closes on the canary, the fault is the relay's or the framing's, and no
//! event is quarantined. If it takes the canary and then closes on the suspect, the suspect is
//! quarantined.

use super::cursor::Cursor;

/// Events of a batch while nothing is suspected. They fill a TLS record or two, so that the thread
/// never works for long at a time.
pub(super) const BATCH: usize = 64;
/// Connections in a row that may fail on the same oldest event.
const PATIENCE: u32 = 3;

/// How to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Batch after batch.
    Full,
    /// At most so many events, and no more until they are delivered.
    Careful(usize),
    /// The canary, and when the relay took it, the oldest event alone.
    Trial,
}

#[derive(Debug)]
pub(super) struct PoisonSearch {
    /// The oldest event at the last failure.
    head: Option<Cursor>,
    /// Failures in a row with this head and this limit.
    failures: u32,
    limit: usize,
}

impl PoisonSearch {
    pub(super) fn new() -> Self {
        Self { head: None, failures: 0, limit: BATCH }
    }

    pub(super) fn pace(&self) -> Pace {
        match self.limit {
            BATCH => Pace::Full,
            1 if self.failures >= PATIENCE => Pace::Trial,
            limit => Pace::Careful(limit),
        }
    }

    pub(super) fn is_searching(&self) -> bool {
        self.limit < BATCH
    }

    /// The relay ended a connection while this event was the oldest.
    pub(super) fn failed(&mut self, head: Cursor) {
        if self.head != Some(head) {
            self.head = Some(head);
            self.failures = 0;
        }
        self.failures += 1;
        let narrow = self.is_searching() || self.failures >= PATIENCE;
        if narrow && self.limit > 1 {
            self.limit /= 2;
            self.failures = 0;
        }
    }

    /// The relay closed on the canary.
    pub(super) fn cleared(&mut self) {
        self.failures = 0;
    }

    /// An event was delivered or quarantined.
    pub(super) fn progressed(&mut self) {
        self.limit = (self.limit * 2).min(BATCH);
        self.head = None;
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forwarder::cursor::Source;

    fn at(number: u64) -> Cursor {
        Cursor::new(Source::Buffer, number)
    }

    /// Against a relay that closes on event `poison`: the events sent alone after the canary, and
    /// the connections used.
    fn trials(poison: u64, canary_survives: bool) -> (Vec<u64>, u32) {
        let mut search = PoisonSearch::new();
        let (mut head, mut suspects) = (0, Vec::new());
        for connection in 1..200 {
            loop {
                let size = match search.pace() {
                    // The second batch follows before the first is delivered.
                    Pace::Full => 2 * BATCH,
                    Pace::Careful(limit) => limit,
                    Pace::Trial if canary_survives => {
                        suspects.push(head);
                        if head == poison {
                            return (suspects, connection);
                        }
                        1
                    }
                    Pace::Trial => {
                        search.cleared();
                        break;
                    }
                };
                if head + size as u64 > poison {
                    search.failed(at(head));
                    break;
                }
                head += size as u64;
                search.progressed();
            }
        }
        (suspects, 200)
    }

    #[test]
    fn only_the_poison_event_is_tried_wherever_it_is() {
        for poison in [0, 1, 99, 255, 256, 1000] {
            let (suspects, connections) = trials(poison, true);
            assert_eq!(suspects, [poison]);
            assert!(connections <= 50, "{poison}: {connections}");
        }
    }

    #[test]
    fn a_relay_that_closes_on_anything_makes_no_event_a_suspect() {
        assert_eq!(trials(0, false).0, []);
    }

    #[test]
    fn a_relay_that_restarts_often_but_delivers_starts_no_search() {
        let mut search = PoisonSearch::new();
        for n in 0..100 {
            search.failed(at(n));
            assert_eq!(search.pace(), Pace::Full);
        }
    }
}
