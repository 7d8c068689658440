//! The name of the structured data.

use std::fmt;
use std::str::FromStr;

use crate::error::SettingError;

/// An SD-ID of the form `name@number` (RFC 5424, section 6.3.2), at most 32 characters. Default:
/// `cap@0`.
///
/// The number is that of an enterprise. Names without a number are IANA's to assign, and a reader
/// may reject parameters that are not registered for them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SdId(String);

impl SdId {
    /// The SD-ID as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for SdId {
    fn default() -> Self {
        Self("cap@0".to_owned())
    }
}

impl FromStr for SdId {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        if is_private(text) {
            return Ok(Self(text.to_owned()));
        }
        Err(SettingError::new(format!(
            "{text:?} is not a private SD-ID (RFC 5424, 6.3.2): write name@number, at most 32 printable ASCII characters other \
             than = ] \", with the number of your enterprise, such as cap@32473"
        )))
    }
}

impl fmt::Display for SdId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn is_private(id: &str) -> bool {
    let Some((name, number)) = id.split_once('@') else {
        return false;
    };
    let in_name = |b: u8| b.is_ascii_graphic() && !br#"=]""#.contains(&b);
    let in_number = |b: u8| b.is_ascii_digit() || b == b'.';
    id.len() <= 32
        && !name.is_empty()
        && name.bytes().all(in_name)
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(in_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_sd_id_has_a_name_and_the_number_of_an_enterprise() {
        for id in ["cap@0", "cap@32473.1", "a|b@1"] {
            assert_eq!(id.parse::<SdId>().expect(id).as_str(), id);
        }
        let long = format!("{}@1", "x".repeat(31));
        for id in ["", "cap", "@1", "cap@", "cap@x", "a b@0", "a=@0", "a]@0", "a\"@0", &long] {
            assert!(id.parse::<SdId>().is_err(), "{id}");
        }
    }
}
