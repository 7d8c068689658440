//! The license that was installed last; before that, the configuration's holds.

use chrono::DateTime;
use rusqlite::{Connection, OptionalExtension as _, params};

use super::{Error, Work};
use crate::license::License;

/// Stores a license in place of the one before.
///
/// # Errors
/// The database's own, as for every function here.
pub(crate) fn install(work: &Work<'_>, license: License) -> Result<(), Error> {
    work.execute(
        "INSERT OR REPLACE INTO license (one, expires_at, cert_limit) VALUES (1, ?1, ?2)",
        params![
            license.expires_at.map(|end| end.timestamp_millis()),
            // More than SQLite can hold is as good as its most.
            license
                .cert_limit
                .map_or(0, |limit| i64::try_from(limit).unwrap_or(i64::MAX)),
        ],
    )?;
    Ok(())
}

/// The license that was installed.
pub(crate) fn installed(connection: &Connection) -> Result<Option<License>, Error> {
    let read = |row: &rusqlite::Row<'_>| {
        let expires_at: Option<i64> = row.get(0)?;
        Ok(License::new(
            expires_at.and_then(DateTime::from_timestamp_millis),
            row.get::<_, i64>(1)?.unsigned_abs(),
        ))
    };
    let sql = "SELECT expires_at, cert_limit FROM license";
    Ok(connection.query_row(sql, [], read).optional()?)
}
