//! The records of a relay beside the events that were sent.

use cap_syslog::Report;
use std::collections::BTreeSet;
use std::time::Duration;

/// The outcome of a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Outcome {
    /// Events that never came, by number.
    pub lost: BTreeSet<u64>,
    /// Records that came again.
    pub duplicates: u64,
    /// Places at which a record is older than the one before it.
    pub steps_back: u64,
    /// The ids of gap records.
    pub gaps: BTreeSet<String>,
    /// The forwarder's account.
    pub report: Report,
    /// How often the fault struck.
    pub faults: u64,
    /// Connections after the first.
    pub reconnects: u64,
    /// The slowest call of `enqueue`.
    pub longest_enqueue: Duration,
}

impl Outcome {
    pub(super) fn of(ids: impl Iterator<Item = String>, events: u64, report: &Report) -> Self {
        let mut outcome =
            Outcome { lost: (0..events).collect(), report: *report, ..Outcome::default() };
        let mut last = 0;
        for id in ids {
            let Some(number) = id.strip_prefix('e').and_then(|n| n.parse().ok()) else {
                outcome.gaps.insert(id);
                continue;
            };
            if !outcome.lost.remove(&number) {
                outcome.duplicates += 1;
            }
            outcome.steps_back += u64::from(number < last);
            last = number;
        }
        outcome
    }

    /// Whether every event is accounted for.
    pub fn closes(&self) -> bool {
        let Report { enqueued, delivered, dropped, queued, .. } = self.report;
        enqueued == delivered + dropped + queued
    }
}
