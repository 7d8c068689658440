//! TIMESTAMP of RFC 5424, section 6.2.3: UTC with three fraction digits.

use chrono::{DateTime, Datelike as _, Timelike as _, Utc};

/// Appends `2026-04-21T14:23:45.123Z`. A year that four digits cannot hold is written as the nearest one that they can.
pub(crate) fn write(time: &DateTime<Utc>, out: &mut Vec<u8>) {
    let (date, clock) = (time.naive_utc().date(), time.naive_utc().time());
    let year = date.year().clamp(0, 9999).unsigned_abs();
    // A leap second is nanosecond 1,000,000,000 and above of second 59, which RFC 5424 does not allow.
    let millis = (clock.nanosecond() / 1_000_000).min(999);
    let mut text = *b"0000-00-00T00:00:00.000Z";
    digits(&mut text[0..4], year);
    digits(&mut text[5..7], date.month());
    digits(&mut text[8..10], date.day());
    digits(&mut text[11..13], clock.hour());
    digits(&mut text[14..16], clock.minute());
    digits(&mut text[17..19], clock.second());
    digits(&mut text[20..23], millis);
    out.extend_from_slice(&text);
}

fn digits(text: &mut [u8], mut value: u32) {
    for digit in text.iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_utc_with_three_fraction_digits() {
        for (given, expected) in [
            ("2026-04-21T14:23:45.123456789Z", "2026-04-21T14:23:45.123Z"),
            ("2026-04-21T16:23:45+02:00", "2026-04-21T14:23:45.000Z"),
            ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.999Z"),
        ] {
            let time = DateTime::parse_from_rfc3339(given)
                .expect("a time")
                .to_utc();
            let mut out = Vec::new();
            write(&time, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), expected);
        }
    }
}
