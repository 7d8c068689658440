//! The audit log: the primary record of what happened, whatever becomes of its copies, and the
//! source of the events that a relay missed.

use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use cap_telemetry::syslog::{Backfill, BackfillError, Event};
use rusqlite::{Connection, Row, params};

use super::Store;
use super::sql::{self, Error};
use crate::audit::Entry;
use crate::sync::lock;

/// Fills the gaps that an outage left. The pipelines start before the database is open, so the
/// log is empty at first; clones are the same log.
#[derive(Clone, Default)]
pub struct AuditLog(Arc<OnceLock<(Store, String)>>);

impl AuditLog {
    /// From now on the log is in this store. Only the first call counts.
    pub(crate) fn open(&self, store: &Store, org_id: &str) {
        let _ = self.0.set((store.clone(), org_id.to_owned()));
    }
}

impl Backfill for AuditLog {
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError> {
        let (store, org_id) = self.0.get().ok_or("the database is not open yet")?;
        let entries = between(&lock(&store.0.connection).0, &store.0.host, from, to, limit)?;
        let entries = entries.ok_or("an end of the gap is not in the audit log")?;
        Ok(entries.iter().map(|entry| entry.event(org_id)).collect())
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditLog")
    }
}

pub(super) fn insert(db: &Connection, host: &str, entry: &Entry) -> Result<(), Error> {
    let row = params![
        entry.id,
        entry.time.timestamp_millis(),
        entry.event_type.as_str(),
        entry.actor.to_string(),
        entry.resource,
        entry.project,
        entry.severity.as_str(),
        entry.summary,
        serde_json::to_string(&entry.params)?,
        host,
    ];
    let statement = "INSERT INTO audit (id, ts, event_type, actor, resource, project, severity, \
                     summary, params, host) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    sql::run(db, statement, row)
}

/// At most `limit` entries in the order of the commits, from the first or from the one after that
/// with the id `after`. `None` when there is no such id.
///
/// Ids are made before the commit, so a reader that went by their order would miss an id that was
/// made before the last one it has seen and committed after it.
pub(crate) fn list(
    db: &Connection,
    after: Option<&str>,
    limit: u32,
) -> Result<Option<Vec<Entry>>, Error> {
    let Some(after) = after.map_or(Ok(Some(0)), |id| number(db, id))? else {
        return Ok(None);
    };
    let query = "SELECT * FROM audit WHERE rowid > ?1 ORDER BY rowid LIMIT ?2";
    sql::all(db, query, params![after, limit], read).map(Some)
}

/// At most `limit` entries of one process from the one with the id `from` (or after it, or from
/// the first) to that with the id `to`, in the order of the commits. `None` when either is
/// missing.
fn between(
    db: &Connection,
    host: &str,
    from: Bound<&str>,
    to: &str,
    limit: usize,
) -> Result<Option<Vec<Entry>>, Error> {
    let first = match from {
        Bound::Included(id) => number(db, id)?,
        Bound::Excluded(id) => number(db, id)?.map(|number| number + 1),
        Bound::Unbounded => Some(0),
    };
    let (Some(first), Some(last)) = (first, number(db, to)?) else {
        return Ok(None);
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let query = "SELECT * FROM audit WHERE rowid BETWEEN ?1 AND ?2 AND host = ?3 \
                 ORDER BY rowid LIMIT ?4";
    sql::all(db, query, params![first, last, host, limit], read).map(Some)
}

/// Rows are never deleted, so their numbers are in the order of the commits.
fn number(db: &Connection, id: &str) -> Result<Option<i64>, Error> {
    sql::first(db, "SELECT rowid FROM audit WHERE id = ?1", [id], |row| row.get(0))
}

fn read(row: &Row<'_>) -> rusqlite::Result<Entry> {
    Ok(Entry {
        id: row.get("id")?,
        time: sql::time(row, "ts")?.unwrap_or_default(),
        event_type: sql::word(row, "event_type")?,
        actor: sql::actor(row, "actor")?,
        resource: row.get("resource")?,
        project: row.get("project")?,
        severity: sql::word(row, "severity")?,
        summary: row.get("summary")?,
        params: sql::json(row, "params")?.unwrap_or_default(),
    })
}
