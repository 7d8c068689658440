//! A duration as the configuration spells it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Anything longer is a slip of the pen, and `Instant::now() + duration` may overflow.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A duration written as a whole number and a unit (`ms`, `s`, `m` or `h`), at most 366 days:
/// `500ms`, `30s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(pub Duration);

/// A text is no [`Interval`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParseIntervalError {
    /// It is not a whole number and a unit.
    #[error("{0:?} is not a duration: write a number and a unit, such as 500ms, 30s, 5m or 1h")]
    Malformed(String),
    /// It is longer than 366 days.
    #[error("{0:?} is longer than a year: write a shorter duration")]
    TooLong(String),
}

impl FromStr for Interval {
    type Err = ParseIntervalError;

    fn from_str(s: &str) -> Result<Self, ParseIntervalError> {
        let digits = s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = s.split_at(digits);
        let number = number.parse::<u64>().ok();
        let millis = match unit {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let (number, millis) =
            number.zip(millis).ok_or_else(|| ParseIntervalError::Malformed(s.to_owned()))?;
        number
            .checked_mul(millis)
            .map(Duration::from_millis)
            .filter(|duration| *duration <= LONGEST)
            .map(Self)
            .ok_or_else(|| ParseIntervalError::TooLong(s.to_owned()))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

impl From<Interval> for Duration {
    fn from(interval: Interval) -> Self {
        interval.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_make_a_duration() {
        for (text, millis) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("1h", 3_600_000)]
        {
            assert_eq!(text.parse(), Ok(Interval(Duration::from_millis(millis))));
        }
        for text in ["", "5", "s", "-1s", "1.5s", "5 s"] {
            let error = ParseIntervalError::Malformed(text.to_owned());
            assert_eq!(text.parse::<Interval>(), Err(error));
        }
        for text in ["8785h", "18446744073709551615h"] {
            let error = ParseIntervalError::TooLong(text.to_owned());
            assert_eq!(text.parse::<Interval>(), Err(error));
        }
    }
}
