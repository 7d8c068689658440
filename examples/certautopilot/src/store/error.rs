//! Why the database did not do it.

use super::Location;

/// An error of the database.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
enum Kind {
    #[error("database.path: cannot open {location}: {source}")]
    Open {
        location: String,
        source: rusqlite::Error,
    },
    #[error("the database refused: {0}")]
    Refused(#[from] rusqlite::Error),
    #[error("a row cannot be read: {0}")]
    Row(String),
    #[error("the database's thread ended early")]
    Interrupted,
}

impl Error {
    pub(super) fn open(location: &Location, source: rusqlite::Error) -> Self {
        let location = location.to_string();
        Error(Kind::Open { location, source })
    }

    pub(super) fn row(what: impl ToString) -> Self {
        Error(Kind::Row(what.to_string()))
    }

    pub(super) fn interrupted() -> Self {
        Error(Kind::Interrupted)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(source: rusqlite::Error) -> Self {
        Error(Kind::Refused(source))
    }
}
