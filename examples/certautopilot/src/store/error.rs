//! Why the database did not do it.

use super::location::Location;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file cannot be opened, or is no database.
    #[error("database.path: cannot open {0}: {1}")]
    Open(Location, rusqlite::Error),
    /// A statement failed, or a row cannot be read.
    #[error("the database refused: {0}")]
    Refused(#[from] rusqlite::Error),
    /// A value cannot be written as JSON.
    #[error("a value cannot be stored: {0}")]
    Json(#[from] serde_json::Error),
    /// The thread that waited for the database panicked.
    #[error("the database's thread ended early")]
    Interrupted,
}
