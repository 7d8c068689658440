//! The table of KEK rotations, and the keys that each version wraps.

use cap_telemetry::names::Actor;
use rusqlite::{Connection, Row, params};

use super::Work;
use super::sql::{self, Error};
use crate::certificate::WrappedKey;

/// A rotation to a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    pub(crate) id: String,
    /// The version it moves to.
    pub(crate) target: u32,
    pub(crate) requested_by: Actor,
}

/// The version that new keys are wrapped with: 1 before any rotation.
pub(crate) fn current(db: &Connection) -> Result<u32, Error> {
    let query = "SELECT max(target) FROM kek_rotations WHERE state <> 'staged'";
    let version: Option<Option<u32>> = sql::first(db, query, [], |row| row.get(0))?;
    Ok(version.flatten().unwrap_or(1))
}

/// Begins a rotation: every replica must load its version before any wraps with it.
pub(crate) fn begin(work: &Work<'_>, rotation: &Rotation) -> Result<(), Error> {
    let statement = "INSERT INTO kek_rotations (id, target, state, requested_by) \
                     VALUES (?1, ?2, 'staged', ?3)";
    let actor = rotation.requested_by.to_string();
    sql::run(work, statement, params![rotation.id, rotation.target, actor])
}

/// From now on new keys are wrapped with the version of the rotation.
pub(crate) fn switch(work: &Work<'_>, id: &str) -> Result<(), Error> {
    let statement = "UPDATE kek_rotations SET state = 'running' WHERE id = ?1 AND state = 'staged'";
    sql::run(work, statement, [id])
}

/// The rotation that is not complete.
pub(crate) fn running(db: &Connection) -> Result<Option<Rotation>, Error> {
    let query = "SELECT id, target, requested_by FROM kek_rotations WHERE state <> 'completed'";
    sql::first(db, query, [], |row| {
        Ok(Rotation {
            id: row.get(0)?,
            target: row.get(1)?,
            requested_by: sql::actor(row, "requested_by")?,
        })
    })
}

/// Completes the rotation, and says whether it was not complete before.
pub(crate) fn complete(work: &Work<'_>, id: &str) -> Result<bool, Error> {
    let statement = "UPDATE kek_rotations SET state = 'completed' \
                     WHERE id = ?1 AND state = 'running' RETURNING id";
    Ok(sql::first(work, statement, [id], |_| Ok(()))?.is_some())
}

/// How many keys a version older than `target` wraps.
pub(crate) fn behind(db: &Connection, target: u32) -> Result<u32, Error> {
    let query = "SELECT count(*) FROM certificates WHERE kek_version < ?1";
    Ok(sql::first(db, query, [target], |row| row.get(0))?.unwrap_or_default())
}

/// At most `limit` of the keys that a version older than `target` wraps, each with the id of its
/// certificate.
pub(crate) fn next_behind(
    db: &Connection,
    target: u32,
    limit: u32,
) -> Result<Vec<(String, WrappedKey)>, Error> {
    let query = "SELECT id, wrapped_key, kek_version FROM certificates \
                 WHERE kek_version < ?1 LIMIT ?2";
    let read = |row: &Row<'_>| {
        let (wrapped, kek_version) = (row.get(1)?, row.get(2)?);
        Ok((row.get(0)?, WrappedKey { wrapped, kek_version }))
    };
    sql::all(db, query, [target, limit], read)
}

/// Replaces a wrapped key, unless it was replaced since it was read.
pub(crate) fn rewrap(
    work: &Work<'_>,
    certificate: &str,
    old: &WrappedKey,
    new: &WrappedKey,
) -> Result<(), Error> {
    let statement = "UPDATE certificates SET wrapped_key = ?3, kek_version = ?4 \
                     WHERE id = ?1 AND wrapped_key = ?2";
    let row = params![certificate, old.wrapped, new.wrapped, new.kek_version];
    sql::run(work, statement, row)
}

/// The versions that wrap at least one key.
pub(crate) fn in_use(db: &Connection) -> Result<Vec<u32>, Error> {
    let query = "SELECT DISTINCT kek_version FROM certificates WHERE kek_version IS NOT NULL";
    sql::all(db, query, [], |row| row.get(0))
}
