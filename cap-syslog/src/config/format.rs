//! How a record carries the event.

use std::str::FromStr;

/// How a record carries the event. The envelope, PRI to MSGID, is that of RFC 5424 either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Format {
    /// The event as structured data, and its summary as the MSG.
    #[default]
    Rfc5424,
    /// No structured data, and the event in the MSG as CEF, version 0 of ArcSight's Common Event Format.
    Cef,
}

/// `rfc5424` or `cef`.
impl FromStr for Format {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        match s {
            "rfc5424" => Ok(Format::Rfc5424),
            "cef" => Ok(Format::Cef),
            _ => Err(format!("unknown format {s:?}: write rfc5424 or cef")),
        }
    }
}
