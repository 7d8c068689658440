//! Finding the record on which a relay closes the connection, so that one such record does not hold up all others.
//!
//! A connection that ends before it released anything throws suspicion on what it carried. After the third in a row with
//! the same oldest event, batches are sent one at a time and halved with each failure, until the oldest event was sent alone and
//! failed three times. Then a harmless record goes first: where the relay does not survive even that, the fault is the
//! relay's (or the framing's), and nothing is set aside. Where it does, and then closes on the event, the event is to blame.

/// Events of a batch while nothing is suspected: a TLS record or two full, so that the thread never works for long at a time.
pub(super) const BATCH: usize = 64;
/// Connections in a row that may fail on the same oldest event.
const PATIENCE: u32 = 3;

/// How to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Batch after batch.
    Full,
    /// So many events, and no more until they are released.
    Careful(usize),
    /// A harmless record, and once that has lasted, the oldest event alone.
    Trial,
}

#[derive(Debug)]
pub(super) struct Suspicion {
    /// The number of the oldest event at the last failure.
    head: Option<u64>,
    /// Failures in a row with this head and this limit.
    failures: u32,
    limit: usize,
}

impl Suspicion {
    pub(super) fn none() -> Self {
        Suspicion {
            head: None,
            failures: 0,
            limit: BATCH,
        }
    }

    pub(super) fn pace(&self) -> Pace {
        match self.limit {
            BATCH => Pace::Full,
            1 if self.failures >= PATIENCE => Pace::Trial,
            limit => Pace::Careful(limit),
        }
    }

    /// Whether a culprit is being looked for.
    pub(super) fn is_narrowing(&self) -> bool {
        self.limit < BATCH
    }

    /// The relay ended a connection, with this event the oldest.
    pub(super) fn failed(&mut self, head: u64) {
        if self.head != Some(head) {
            self.head = Some(head);
            self.failures = 0;
        }
        self.failures += 1;
        let narrow = self.limit < BATCH || self.failures >= PATIENCE;
        if narrow && self.limit > 1 {
            self.limit /= 2;
            self.failures = 0;
        }
    }

    /// The relay did not survive the harmless record.
    pub(super) fn acquitted(&mut self) {
        self.failures = 0;
    }

    /// Something was released, or set aside.
    pub(super) fn progressed(&mut self) {
        self.limit = (self.limit * 2).min(BATCH);
        self.head = None;
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a relay that closes on event `poison` makes of it: the events sent alone after a harmless record, and how many
    /// connections it took.
    fn trials(poison: u64, harmless_survives: bool) -> (Vec<u64>, u32) {
        let mut suspicion = Suspicion::none();
        let (mut head, mut accused) = (0, Vec::new());
        for connection in 1..200 {
            loop {
                let size = match suspicion.pace() {
                    // The second batch follows before the first is released.
                    Pace::Full => 2 * BATCH,
                    Pace::Careful(limit) => limit,
                    Pace::Trial if harmless_survives => {
                        accused.push(head);
                        if head == poison {
                            return (accused, connection);
                        }
                        1
                    }
                    Pace::Trial => {
                        suspicion.acquitted();
                        break;
                    }
                };
                if head + size as u64 > poison {
                    suspicion.failed(head);
                    break;
                }
                head += size as u64;
                suspicion.progressed();
            }
        }
        (accused, 200)
    }

    #[test]
    fn only_the_culprit_is_tried_wherever_it_stands() {
        for poison in [0, 1, 99, 255, 256, 1000] {
            let (accused, connections) = trials(poison, true);
            assert_eq!(accused, [poison]);
            assert!(connections <= 50, "{poison}: {connections}");
        }
    }

    #[test]
    fn a_relay_that_closes_on_anything_makes_no_record_the_culprit() {
        assert_eq!(trials(0, false).0, []);
    }

    #[test]
    fn a_relay_that_is_restarted_again_and_again_is_not_suspected_while_it_releases() {
        let mut suspicion = Suspicion::none();
        for n in 0..100 {
            suspicion.failed(n);
            assert_eq!(suspicion.pace(), Pace::Full);
        }
    }
}
