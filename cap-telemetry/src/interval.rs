//! A duration as configuration spells it.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// What is longer is a slip of the pen, and would not be safe to add to a point in time.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// A duration written as a whole number and a unit, a year at most: `500ms`, `30s`, `5m`, `1h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval(pub Duration);

impl FromStr for Interval {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let digits = s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = s.split_at(digits);
        let number: Option<u64> = number.parse().ok();
        let millis = match unit {
            "ms" => Some(1),
            "s" => Some(1000),
            "m" => Some(60_000),
            "h" => Some(3_600_000),
            _ => None,
        };
        let (number, millis) = number.zip(millis).ok_or_else(|| {
            format!(
                "{s:?} is not a duration: write a number and a unit, such as 500ms, 30s, 5m or 1h"
            )
        })?;
        let duration = number.checked_mul(millis).map(Duration::from_millis);
        duration
            .filter(|duration| *duration <= LONGEST)
            .map(Interval)
            .ok_or_else(|| format!("{s:?} is longer than a year: write a shorter duration"))
    }
}

impl fmt::Display for Interval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}ms", self.0.as_millis())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_and_a_unit_make_a_duration() {
        for (text, millis) in [
            ("500ms", 500),
            ("30s", 30_000),
            ("5m", 300_000),
            ("1h", 3_600_000),
        ] {
            assert_eq!(text.parse(), Ok(Interval(Duration::from_millis(millis))));
        }
        for text in [
            "",
            "5",
            "s",
            "-1s",
            "1.5s",
            "5 s",
            "8785h",
            "18446744073709551615h",
        ] {
            assert!(text.parse::<Interval>().is_err(), "{text}");
        }
    }
}
