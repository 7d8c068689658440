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
    /// A file, made when it is not there.
    File(PathBuf),
}

impl FromStr for Location {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(match text {
            ":memory:" => Location::Memory,
            path => Location::File(path.into()),
        })
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Location::Memory => f.write_str(":memory:"),
            Location::File(path) => path.display().fmt(f),
        }
    }
}
