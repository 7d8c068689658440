//! Facilities, by name and by code.

use std::fmt;
use std::str::FromStr;

use crate::error::SettingError;

/// A syslog facility, 0 to 23 (RFC 5424, section 6.2.1, table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

impl Facility {
    /// The facility `local0` to `local7`.
    ///
    /// # Panics
    ///
    /// If `n` is greater than 7.
    pub const fn local(n: u8) -> Self {
        assert!(n <= 7, "facilities end at local7");
        Self(16 + n)
    }

    /// The numerical code.
    pub fn code(self) -> u8 {
        self.0
    }
}

/// local6.
impl Default for Facility {
    fn default() -> Self {
        Self::local(6)
    }
}

/// `local0` … `local7`, or a numerical code from 0 to 23.
impl FromStr for Facility {
    type Err = SettingError;

    fn from_str(s: &str) -> Result<Self, SettingError> {
        let code = match s.strip_prefix("local") {
            Some(n) => n.parse().ok().filter(|n| *n <= 7).map(|n: u8| 16 + n),
            None => s.parse().ok().filter(|code| *code <= 23),
        };
        code.map(Self).ok_or_else(|| {
            SettingError::new(format!(
                "unknown facility {s:?}: write local0 to local7, or a code from 0 to 23"
            ))
        })
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            local @ 16..=23 => write!(f, "local{}", local - 16),
            code => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_the_codes_of_the_rfc() {
        for (name, code) in [("local0", 16), ("local5", 21), ("local6", 22), ("21", 21), ("0", 0)] {
            assert_eq!(name.parse::<Facility>().map(Facility::code), Ok(code));
        }
        assert_eq!(Facility::default().code(), 22);
        for name in ["local8", "24", "local", "user", "-1", ""] {
            assert!(name.parse::<Facility>().is_err(), "{name}");
        }
    }
}
