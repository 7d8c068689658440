//! TIMESTAMP of RFC 5424, section 6.2.3: UTC with three fraction digits.

use chrono::{DateTime, Datelike as _, NaiveDate, NaiveDateTime, NaiveTime, Timelike as _, Utc};

/// The template that [`write`] fills.
pub(crate) const BLANK: &[u8; 24] = b"0000-00-00T00:00:00.000Z";

const FIRST: DateTime<Utc> = at(0, 1, 1, NaiveTime::MIN);
const LAST: DateTime<Utc> =
    at(9999, 12, 31, NaiveTime::from_hms_milli_opt(23, 59, 59, 999).expect("a time"));

const fn at(year: i32, month: u32, day: u32, time: NaiveTime) -> DateTime<Utc> {
    let date = NaiveDate::from_ymd_opt(year, month, day).expect("a date");
    NaiveDateTime::new(date, time).and_utc()
}

/// The time itself, or the nearest one whose year has four digits.
pub(crate) fn representable(time: DateTime<Utc>) -> DateTime<Utc> {
    time.clamp(FIRST, LAST)
}

/// Writes `2026-04-21T14:23:45.123Z`.
pub(crate) fn write(time: &DateTime<Utc>, text: &mut [u8; 24]) {
    let (date, clock) = (time.naive_utc().date(), time.naive_utc().time());
    let year = date.year().unsigned_abs();
    // A leap second is nanosecond 1,000,000,000 and above of second 59, which RFC 5424 does not
    // allow.
    let millis = (clock.nanosecond() / 1_000_000).min(999);
    let seconds = clock.num_seconds_from_midnight();
    for (at, value) in [
        (0, year / 100),
        (2, year % 100),
        (5, date.month()),
        (8, date.day()),
        (11, seconds / 3600),
        (14, seconds / 60 % 60),
        (17, seconds % 60),
        (20, millis / 10),
    ] {
        text[at] = b'0' + (value / 10) as u8;
        text[at + 1] = b'0' + (value % 10) as u8;
    }
    text[22] = b'0' + (millis % 10) as u8;
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
            ("0001-01-01T00:00:00Z", "0001-01-01T00:00:00.000Z"),
        ] {
            let time = DateTime::parse_from_rfc3339(given).expect("a time");
            assert_eq!(written(time.to_utc()), expected);
        }
    }

    /// The year 9999 has no 29th of February, so replacing only the year would fail.
    #[test]
    fn a_time_beyond_four_digits_becomes_the_nearest_one() {
        let far = at(12000, 2, 29, NaiveTime::MIN);
        assert_eq!(written(far), "9999-12-31T23:59:59.999Z");
        assert_eq!(written(DateTime::<Utc>::MIN_UTC), "0000-01-01T00:00:00.000Z");
    }

    fn written(time: DateTime<Utc>) -> String {
        let mut text = *BLANK;
        write(&representable(time), &mut text);
        String::from_utf8_lossy(&text).into_owned()
    }
}
