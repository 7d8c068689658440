//! Statements and columns, as every table needs them.

use std::error::Error as StdError;
use std::str::FromStr;

use cap_telemetry::names::Actor;
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};
use serde::de::DeserializeOwned;

use super::error::Error;
use crate::actor;

/// Every row of a query.
pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement.query_map(params, read)?.collect::<Result<_>>()?)
}

/// The first row of a query.
pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement.query_row(params, read).optional()?)
}

/// Runs a statement; how many rows it changed.
pub(super) fn run(db: &Connection, sql: &str, params: impl Params) -> Result<usize, Error> {
    Ok(db.prepare_cached(sql)?.execute(params)?)
}

/// A word of a closed set.
pub(super) fn word<T>(row: &Row<'_>, column: &str) -> Result<T>
where
    T: FromStr<Err: StdError + Send + Sync + 'static>,
{
    row.get::<_, String>(column)?
        .parse()
        .map_err(|error: T::Err| unreadable(error))
}

/// A value as JSON, where there is one.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    text.map(|text| serde_json::from_str(&text).map_err(unreadable))
        .transpose()
}

/// Milliseconds since 1970, where there are some.
pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Option<DateTime<Utc>>> {
    Ok(row
        .get::<_, Option<i64>>(column)?
        .and_then(DateTime::from_timestamp_millis))
}

/// An actor as `kind:id`.
pub(super) fn actor(row: &Row<'_>, column: &str) -> Result<Actor> {
    let text: String = row.get(column)?;
    actor::parse(&text).ok_or_else(|| unreadable(format!("no actor: {text:?}")))
}

fn unreadable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}
