//! The table of hosts: which replicas there are, and which KEK versions each has.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, Row, params};

use super::Work;
use super::sql::{self, Error};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) host: String,
    /// The KEK version it wraps with.
    pub(crate) current: u32,
    /// The KEK versions it has loaded.
    pub(crate) loaded: Vec<u32>,
}

/// Stores what a replica says of itself now.
pub(crate) fn report(work: &Work<'_>, report: &Report) -> Result<(), Error> {
    let statement = "INSERT OR REPLACE INTO hosts (host, seen_at, kek_current, kek_loaded) \
                     VALUES (?1, ?2, ?3, ?4)";
    let (now, loaded) = (Utc::now().timestamp_millis(), serde_json::to_string(&report.loaded)?);
    sql::run(work, statement, params![report.host, now, report.current, loaded])
}

pub(crate) fn leave(work: &Work<'_>, host: &str) -> Result<(), Error> {
    sql::run(work, "DELETE FROM hosts WHERE host = ?1", [host])
}

/// Removes the replicas that were last seen before that time.
pub(crate) fn forget(work: &Work<'_>, before: DateTime<Utc>) -> Result<(), Error> {
    let statement = "DELETE FROM hosts WHERE seen_at < ?1";
    sql::run(work, statement, [before.timestamp_millis()])
}

pub(crate) fn all(db: &Connection) -> Result<Vec<Report>, Error> {
    let read = |row: &Row<'_>| {
        Ok(Report {
            host: row.get("host")?,
            current: row.get("kek_current")?,
            loaded: sql::json(row, "kek_loaded")?.unwrap_or_default(),
        })
    };
    sql::all(db, "SELECT * FROM hosts", [], read)
}

/// How many replicas have not loaded this KEK version.
pub(crate) fn laggards(db: &Connection, version: u32) -> Result<u64, Error> {
    let lags = |report: &&Report| !report.loaded.contains(&version);
    Ok(all(db)?.iter().filter(lags).count() as u64)
}
