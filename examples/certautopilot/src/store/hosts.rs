//! The table of hosts: which replicas there are, and which KEK versions each has.

use chrono::{DateTime, Utc};
use rusqlite::{Connection, params};

use super::{Error, Work};

/// What a replica says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name among its siblings.
    pub host: String,
    /// The KEK version it wraps with.
    pub current: u32,
    /// The KEK versions it has loaded.
    pub loaded: Vec<u32>,
}

/// Stores what a replica says of itself now.
///
/// # Errors
/// The database's own, as for every function here.
pub fn report(work: &Work<'_>, report: &Report) -> Result<(), Error> {
    work.execute(
        "INSERT INTO hosts (host, seen_at, kek_current, kek_loaded) VALUES (?1, ?2, ?3, ?4) \
         ON CONFLICT (host) DO UPDATE SET seen_at = excluded.seen_at, kek_current = excluded.kek_current, \
         kek_loaded = excluded.kek_loaded",
        params![
            report.host,
            Utc::now().timestamp_millis(),
            report.current,
            serde_json::to_string(&report.loaded).map_err(Error::row)?,
        ],
    )?;
    Ok(())
}

/// A replica that leaves in order is not missed.
pub fn leave(work: &Work<'_>, host: &str) -> Result<(), Error> {
    work.execute("DELETE FROM hosts WHERE host = ?1", [host])?;
    Ok(())
}

/// Forgets the replicas that were last seen before that time.
pub fn forget(work: &Work<'_>, before: DateTime<Utc>) -> Result<(), Error> {
    let sql = "DELETE FROM hosts WHERE seen_at < ?1";
    work.execute(sql, [before.timestamp_millis()])?;
    Ok(())
}

/// The replicas there are.
pub fn all(connection: &Connection) -> Result<Vec<Report>, Error> {
    let mut statement =
        connection.prepare_cached("SELECT host, kek_current, kek_loaded FROM hosts")?;
    let rows = statement.query_map([], |row| {
        Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
    })?;
    rows.map(|row| {
        let (host, current, loaded) = row?;
        Ok(Report {
            host,
            current,
            loaded: serde_json::from_str(&loaded).map_err(Error::row)?,
        })
    })
    .collect()
}

/// How many replicas have not loaded this KEK version.
pub fn laggards(connection: &Connection, version: u32) -> Result<u64, Error> {
    let lags = |report: &&Report| !report.loaded.contains(&version);
    Ok(all(connection)?.iter().filter(lags).count() as u64)
}
