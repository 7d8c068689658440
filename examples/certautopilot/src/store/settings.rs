//! The table of settings that change while the service runs: each a name, and a value as JSON.

use rusqlite::{Connection, params};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Work;
use super::sql::{self, Error};

/// The license that was installed last.
pub(crate) const LICENSE: &str = "license";
/// What the syslog settings page saved last.
pub(crate) const SYSLOG: &str = "syslog";

pub(crate) fn put(work: &Work<'_>, name: &str, value: &impl Serialize) -> Result<(), Error> {
    let statement = "INSERT OR REPLACE INTO settings (name, value) VALUES (?1, ?2)";
    sql::run(work, statement, params![name, serde_json::to_string(value)?])
}

pub(crate) fn get<T: DeserializeOwned>(db: &Connection, name: &str) -> Result<Option<T>, Error> {
    let query = "SELECT value FROM settings WHERE name = ?1";
    Ok(sql::first(db, query, [name], |row| sql::json(row, "value"))?.flatten())
}
