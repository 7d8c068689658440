//! Statements, columns and errors, as every table needs them.

use std::error::Error as StdError;
use std::str::FromStr;

use cap_telemetry::names::Actor;
use chrono::{DateTime, Utc};
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension as _, Params, Result, Row};
use serde::de::DeserializeOwned;

use crate::accounts;

/// Why the database did not do it.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("database.path: cannot open {0}: {1}")]
    Open(String, rusqlite::Error),
    #[error("the database refused: {0}")]
    Refused(#[from] rusqlite::Error),
    #[error("a value cannot be stored: {0}")]
    Json(#[from] serde_json::Error),
    #[error("the database's thread ended early")]
    Interrupted,
}

pub(super) fn all<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnMut(&Row<'_>) -> Result<T>,
) -> Result<Vec<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement.query_map(params, read)?.collect::<Result<_>>()?)
}

pub(super) fn first<T>(
    db: &Connection,
    sql: &str,
    params: impl Params,
    read: impl FnOnce(&Row<'_>) -> Result<T>,
) -> Result<Option<T>, Error> {
    let mut statement = db.prepare_cached(sql)?;
    Ok(statement.query_row(params, read).optional()?)
}

pub(super) fn run(db: &Connection, sql: &str, params: impl Params) -> Result<(), Error> {
    db.prepare_cached(sql)?.execute(params)?;
    Ok(())
}

pub(super) fn word<T>(row: &Row<'_>, column: &str) -> Result<T>
where
    T: FromStr<Err: StdError + Send + Sync + 'static>,
{
    let word: String = row.get(column)?;
    word.parse().map_err(unreadable)
}

/// A value as JSON, where there is one.
pub(super) fn json<T: DeserializeOwned>(row: &Row<'_>, column: &str) -> Result<Option<T>> {
    let text: Option<String> = row.get(column)?;
    let value = text.map(|text| serde_json::from_str(&text));
    value.transpose().map_err(unreadable)
}

/// Milliseconds since 1970, where there are some.
pub(super) fn time(row: &Row<'_>, column: &str) -> Result<Option<DateTime<Utc>>> {
    let milliseconds: Option<i64> = row.get(column)?;
    Ok(milliseconds.and_then(DateTime::from_timestamp_millis))
}

pub(super) fn actor(row: &Row<'_>, column: &str) -> Result<Actor> {
    let text: String = row.get(column)?;
    accounts::actor(&text).ok_or_else(|| unreadable(format!("no actor: {text:?}")))
}

fn unreadable(error: impl Into<Box<dyn StdError + Send + Sync>>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, Type::Text, error.into())
}
