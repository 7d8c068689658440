//! The certificates and the queue in numbers, kept in memory so that a scrape never waits for the
//! database.

use std::collections::{BTreeMap, HashMap};

use cap_telemetry::names::ClosedEnum as _;
use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row};

use super::sql::{self, Error};
use crate::certificate::CertificateState;
use crate::job::JobKind;

/// What is counted: loaded once, then brought up to date by every commit.
#[derive(Default)]
pub(crate) struct Inventory {
    pub(crate) certificates: HashMap<String, CertificateFact>,
    /// How many jobs of each type wait.
    pub(crate) waiting: BTreeMap<JobKind, u64>,
}

/// What is counted of one certificate.
pub(crate) struct CertificateFact {
    /// As stored.
    pub(crate) state: CertificateState,
    pub(crate) issuer_type: String,
    pub(crate) not_after: Option<DateTime<Utc>>,
}

/// What a commit changes.
pub(super) type Change = Box<dyn FnOnce(&mut Inventory) + Send>;

impl Inventory {
    pub(super) fn load(db: &Connection) -> Result<Self, Error> {
        let query = "SELECT id, status, issuer_type, not_after FROM certificates";
        let certificates = sql::all(db, query, [], fact)?.into_iter().collect();
        let mut waiting: BTreeMap<_, _> = JobKind::ALL.iter().map(|kind| (*kind, 0)).collect();
        let query = "SELECT type, count(*) FROM jobs WHERE state = 'queued' GROUP BY type";
        let read = |row: &Row<'_>| {
            Ok((sql::word::<JobKind>(row, "type")?, u64::from(row.get::<_, u32>(1)?)))
        };
        waiting.extend(sql::all(db, query, [], read)?);
        Ok(Self { certificates, waiting })
    }

    /// How many certificates the license counts: all that are not revoked, issued or not.
    pub(crate) fn licensed(&self) -> u64 {
        let counts = |fact: &&CertificateFact| fact.state != CertificateState::Revoked;
        self.certificates.values().filter(counts).count() as u64
    }
}

pub(super) fn fact(row: &Row<'_>) -> rusqlite::Result<(String, CertificateFact)> {
    let (state, issuer_type) = (sql::word(row, "status")?, row.get("issuer_type")?);
    let not_after = sql::time(row, "not_after")?;
    Ok((row.get("id")?, CertificateFact { state, issuer_type, not_after }))
}
