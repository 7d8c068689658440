//! Key-encryption keys as the database knows them: rotations, and the keys that each version wraps.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Error, Work};
use cap_telemetry::names::Actor;

/// A rotation to a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rotation {
    /// Its id.
    pub id: String,
    /// The version it moves to.
    pub target: u32,
    /// Who asked for it.
    pub requested_by: Actor,
}

/// A data key as it is stored.
#[derive(Clone, Debug)]
pub struct WrappedKey {
    /// The certificate whose key it encrypts.
    pub certificate: String,
    /// The data key under the KEK.
    pub wrapped: Vec<u8>,
    /// The version of the KEK.
    pub kek_version: u32,
}

/// The version that new keys are wrapped with: 1 before any rotation.
///
/// # Errors
/// The database's own, as for every function here.
pub fn current(connection: &Connection) -> Result<u32, Error> {
    let sql = "SELECT coalesce(max(target), 1) FROM kek_rotations WHERE state <> 'staged'";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// Begins a rotation: its version is to be loaded everywhere before it is used anywhere.
pub fn begin(work: &Work<'_>, rotation: &Rotation) -> Result<(), Error> {
    work.execute(
        "INSERT INTO kek_rotations (id, target, state, requested_by) VALUES (?1, ?2, 'staged', ?3)",
        params![
            rotation.id,
            rotation.target,
            rotation.requested_by.to_string()
        ],
    )?;
    Ok(())
}

/// From now on new keys are wrapped with the version of the rotation.
pub fn switch(work: &Work<'_>, id: &str) -> Result<(), Error> {
    let sql = "UPDATE kek_rotations SET state = 'running' WHERE id = ?1 AND state = 'staged'";
    work.execute(sql, [id])?;
    Ok(())
}

/// The rotation that is not complete.
pub fn running(connection: &Connection) -> Result<Option<Rotation>, Error> {
    let sql = "SELECT id, target, requested_by FROM kek_rotations WHERE state <> 'completed'";
    let row = connection
        .query_row(sql, [], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get::<_, String>(2)?))
        })
        .optional()?;
    row.map(|(id, target, actor)| {
        let requested_by = crate::actor::parse(&actor).ok_or_else(|| Error::row("requested_by"))?;
        Ok(Rotation {
            id,
            target,
            requested_by,
        })
    })
    .transpose()
}

/// The rotation is complete. Says whether it was not before.
pub fn complete(work: &Work<'_>, id: &str) -> Result<bool, Error> {
    let sql = "UPDATE kek_rotations SET state = 'completed' WHERE id = ?1 AND state = 'running'";
    Ok(work.execute(sql, [id])? > 0)
}

/// How many keys a version older than `target` wraps.
pub fn behind(connection: &Connection, target: u32) -> Result<u32, Error> {
    let sql = "SELECT count(*) FROM certificates WHERE kek_version < ?1";
    Ok(connection.query_row(sql, [target], |row| row.get(0))?)
}

/// At most `limit` of the keys that a version older than `target` wraps.
pub fn next_behind(
    connection: &Connection,
    target: u32,
    limit: u32,
) -> Result<Vec<WrappedKey>, Error> {
    let mut statement = connection.prepare_cached(
        "SELECT id, wrapped_data_key, kek_version FROM certificates WHERE kek_version < ?1 LIMIT ?2",
    )?;
    let rows = statement.query_map(params![target, limit], |row| {
        Ok(WrappedKey {
            certificate: row.get(0)?,
            wrapped: row.get(1)?,
            kek_version: row.get(2)?,
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// Replaces a wrapped key, unless somebody else did since it was read.
pub fn rewrap(
    work: &Work<'_>,
    old: &WrappedKey,
    wrapped: &[u8],
    version: u32,
) -> Result<(), Error> {
    work.execute(
        "UPDATE certificates SET wrapped_data_key = ?3, kek_version = ?4 \
         WHERE id = ?1 AND wrapped_data_key = ?2",
        params![old.certificate, old.wrapped, wrapped, version],
    )?;
    Ok(())
}

/// The versions that wrap at least one key.
pub fn in_use(connection: &Connection) -> Result<Vec<u32>, Error> {
    let sql = "SELECT DISTINCT kek_version FROM certificates WHERE kek_version IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([], |row| row.get(0))?;
    Ok(rows.collect::<Result<_, _>>()?)
}
