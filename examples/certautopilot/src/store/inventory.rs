//! The certificates and the queue in numbers, kept in memory so that a scrape never waits for the
//! database.

use std::collections::{BTreeMap, HashMap};

use cap_telemetry::names::ClosedEnum as _;
use rusqlite::Connection;

use super::change::{CertificateFact, Change};
use super::error::Error;
use super::work::Commit;
use super::{certificates, jobs};
use crate::certificate::CertificateState;
use crate::job::JobKind;

/// What is counted: loaded once, then brought up to date by every commit.
#[derive(Debug, Default)]
pub struct Inventory {
    certificates: HashMap<String, CertificateFact>,
    waiting: BTreeMap<JobKind, u64>,
}

impl Inventory {
    pub(super) fn load(db: &Connection) -> Result<Self, Error> {
        let mut waiting: BTreeMap<_, _> = JobKind::ALL.iter().map(|kind| (*kind, 0)).collect();
        waiting.extend(jobs::waiting(db)?);
        let certificates = certificates::facts(db)?.into_iter().collect();
        Ok(Self {
            certificates,
            waiting,
        })
    }

    pub(super) fn apply(&mut self, commit: &Commit) {
        for change in &commit.changes {
            match change {
                Change::Certificate(id, fact) => {
                    self.certificates.insert(id.clone(), fact.clone());
                }
                Change::Waiting(kind) => *self.waiting.entry(*kind).or_default() += 1,
                Change::Taken(kind) => {
                    let waiting = self.waiting.entry(*kind).or_default();
                    *waiting = waiting.saturating_sub(1);
                }
            }
        }
    }

    /// Every certificate.
    pub fn certificates(&self) -> impl Iterator<Item = &CertificateFact> {
        self.certificates.values()
    }

    /// How many certificates the license counts: all that are not revoked, issued or not.
    pub fn licensed(&self) -> u64 {
        let counts = |fact: &&CertificateFact| fact.state != CertificateState::Revoked;
        self.certificates().filter(counts).count() as u64
    }

    /// How many jobs of each type wait.
    pub fn waiting(&self) -> impl Iterator<Item = (JobKind, u64)> {
        self.waiting.iter().map(|(kind, waiting)| (*kind, *waiting))
    }
}
