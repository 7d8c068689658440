//! Durations in Prometheus's spelling, both ways.

use std::time::Duration;

/// Reads a duration such as `90s`, `15m` or `1h30m`. Unlike PromQL's ranges, it may be 0.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    if is_zero(text) {
        return Some(Duration::ZERO);
    }
    promql_parser::util::parse_duration(text).ok()
}

/// Writes a duration in the largest unit that needs no fraction.
pub(crate) fn format(duration: Duration) -> String {
    match duration.as_secs() {
        _ if duration.subsec_millis() != 0 => format!("{}ms", duration.as_millis()),
        seconds if seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn is_zero(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    !number.is_empty()
        && number.bytes().all(|digit| digit == b'0')
        && ["", "ms", "s", "m", "h", "d", "w", "y"].contains(&&text[number.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_spelled_in_the_largest_whole_unit() {
        for (seconds, text) in [(3600, "1h"), (5400, "90m"), (300, "5m"), (30, "30s")] {
            assert_eq!(format(Duration::from_secs(seconds)), text);
            assert_eq!(parse(text), Some(Duration::from_secs(seconds)));
        }
    }

    #[test]
    fn a_zero_needs_digits_and_a_known_unit() {
        for text in ["0s", "0", "0m", "00ms"] {
            assert_eq!(parse(text), Some(Duration::ZERO), "{text}");
        }
        for text in ["0 s", "s", "0x", "-0s", "", "1 hour"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
