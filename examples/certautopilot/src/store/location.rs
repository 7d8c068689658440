//! Where the database is.

use std::convert::Infallible;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A file, or memory for as long as the process lives.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Location {
    /// `:memory:`
    #[default]
    Memory,
    /// A file, made when it is missing.
    File(PathBuf),
}

impl Location {
    /// The path of a file beside the database: its own, with this at the end.
    pub(crate) fn beside(&self, suffix: &str) -> Option<PathBuf> {
        match self {
            Self::Memory => None,
            Self::File(path) => {
                let mut file = path.clone().into_os_string();
                file.push(suffix);
                Some(file.into())
            }
        }
    }
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            ":memory:" => Self::Memory,
            path => Self::File(path.into()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Memory => f.write_str(":memory:"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}
