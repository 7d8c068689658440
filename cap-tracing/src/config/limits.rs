//! How many spans are held, and how long a request may take.

use std::str::FromStr;
use std::time::Duration;

use crate::error::SettingError;

/// A number of spans, 1 to 1,000,000.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpanCount(usize);

impl SpanCount {
    pub(super) const QUEUE: Self = Self(8192);
    pub(super) const BATCH: Self = Self(512);
    const MAX: usize = 1_000_000;

    /// The number.
    pub const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for SpanCount {
    type Error = SettingError;

    fn try_from(spans: usize) -> Result<Self, SettingError> {
        if (1..=Self::MAX).contains(&spans) {
            return Ok(Self(spans));
        }
        Err(SettingError::new(format!(
            "{spans} is out of range; write a number from 1 to {}",
            Self::MAX
        )))
    }
}

impl FromStr for SpanCount {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let spans = text.parse::<usize>().map_err(|_| {
            SettingError::new(format!(
                "{text:?} is not a number of spans; write a whole number from 1 to {}",
                Self::MAX
            ))
        })?;
        spans.try_into()
    }
}

/// How long one attempt to send a batch may take; never 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestTimeout(Duration);

impl RequestTimeout {
    /// The duration.
    pub const fn get(self) -> Duration {
        self.0
    }
}

/// 10 s.
impl Default for RequestTimeout {
    fn default() -> Self {
        Self(Duration::from_secs(10))
    }
}

impl TryFrom<Duration> for RequestTimeout {
    type Error = SettingError;

    fn try_from(timeout: Duration) -> Result<Self, SettingError> {
        if timeout.is_zero() {
            return Err(SettingError::new(
                "0 leaves no time to answer; write a duration such as 10s",
            ));
        }
        Ok(Self(timeout))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_of_spans_has_bounds() {
        for (text, parsed) in [("1", Some(1)), ("1000000", Some(1_000_000))] {
            let count = text.parse::<SpanCount>().ok();
            assert_eq!(count.map(SpanCount::get), parsed);
        }
        for text in ["0", "1000001", "-1", "many", ""] {
            let error = text.parse::<SpanCount>().expect_err(text).to_string();
            assert!(error.ends_with("from 1 to 1000000"), "{error}");
        }
    }

    #[test]
    fn a_timeout_leaves_time_to_answer() {
        assert!(RequestTimeout::try_from(Duration::ZERO).is_err());
        let least = Duration::from_nanos(1);
        let timeout = RequestTimeout::try_from(least).expect("more than 0");
        assert_eq!(timeout.get(), least);
    }
}
