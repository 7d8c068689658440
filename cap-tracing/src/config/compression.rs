//! How the bodies of export requests are compressed.

use std::str::FromStr;

use crate::error::SettingError;

/// How the body of an export request is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// gzip, at its fastest level. The export thread does the work.
    Gzip,
}

impl FromStr for Compression {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        match text {
            "none" => Ok(Self::None),
            "gzip" => Ok(Self::Gzip),
            _ => {
                Err(SettingError::new(format!("unknown compression {text:?}; write none or gzip")))
            }
        }
    }
}
