//! Settings that are changed while the service runs.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Error, Work};

const SYSLOG: &str = "syslog";

/// Keeps the syslog settings, in place of those before.
///
/// # Errors
/// The database's own, as for every function here.
pub(crate) fn keep(work: &Work<'_>, form: &str) -> Result<(), Error> {
    work.execute(
        "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)",
        params![SYSLOG, form],
    )?;
    Ok(())
}

/// The syslog settings that were kept.
pub(crate) fn kept(connection: &Connection) -> Result<Option<String>, Error> {
    let sql = "SELECT value FROM settings WHERE name = ?1";
    let value = connection.query_row(sql, [SYSLOG], |row| row.get(0));
    Ok(value.optional()?)
}
