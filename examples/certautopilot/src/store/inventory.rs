//! The certificates and the queue in numbers, kept beside the database so that a scrape never waits for it.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, Utc};
use rusqlite::Connection;

use super::certificates::{self, CertificateState};
use super::{Commit, Error, jobs};
use crate::task::JobKind;
use cap_telemetry::names::ClosedEnum as _;

/// What is counted: loaded once, then brought up to date by every commit.
#[derive(Debug, Default)]
pub struct Inventory {
    certificates: HashMap<String, CertificateFact>,
    waiting: BTreeMap<JobKind, u64>,
}

/// What is counted of one certificate.
#[derive(Clone, Debug)]
pub struct CertificateFact {
    /// As stored.
    pub state: CertificateState,
    /// `acme`.
    pub issuer_type: String,
    /// When it expires; `None` before it was issued.
    pub not_after: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(super) enum Change {
    Certificate(String, CertificateFact),
    Waiting(JobKind),
    Taken(JobKind),
}

impl Inventory {
    pub(super) fn load(connection: &Connection) -> Result<Self, Error> {
        let mut waiting: BTreeMap<_, _> = JobKind::ALL.iter().map(|kind| (*kind, 0)).collect();
        waiting.extend(jobs::waiting(connection)?);
        Ok(Inventory {
            certificates: certificates::facts(connection)?.into_iter().collect(),
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

    /// How many certificates the license counts: those that are issued or on their way, and not revoked.
    pub fn licensed(&self) -> u64 {
        let counts = |fact: &&CertificateFact| fact.state != CertificateState::Revoked;
        self.certificates().filter(counts).count() as u64
    }

    /// How many jobs of each type wait.
    pub fn waiting(&self) -> impl Iterator<Item = (JobKind, u64)> {
        self.waiting.iter().map(|(kind, waiting)| (*kind, *waiting))
    }
}

impl CertificateFact {
    /// The state at this time: past its notAfter, a certificate that is not revoked has expired.
    pub fn state_at(&self, now: DateTime<Utc>) -> CertificateState {
        self.state.at(self.not_after, now)
    }
}
