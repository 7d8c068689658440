//! TIMESTAMP: the profile of RFC 3339 that RFC 5424 section 6.2.3 allows.

use super::input::{Input, ParseError};

pub(super) fn parse(input: &mut Input<'_>) -> Result<Option<String>, ParseError> {
    let at = input.at;
    let field = input.until_space()?;
    if field == b"-" {
        return Ok(None);
    }
    check(field).map_err(|what| ParseError { at, what })?;
    Ok(Some(String::from_utf8_lossy(field).into_owned()))
}

fn check(field: &[u8]) -> Result<(), &'static str> {
    let (date_time, rest) = field.split_at_checked(19).ok_or("TIMESTAMP is too short")?;
    for (template, byte) in b"dddd-dd-ddTdd:dd:dd".iter().zip(date_time) {
        let fits = match template {
            b'd' => byte.is_ascii_digit(),
            literal => byte == literal,
        };
        if !fits {
            return Err("TIMESTAMP is YYYY-MM-DDThh:mm:ss");
        }
    }
    let number = |from: usize, to: usize| {
        (date_time[from..to].iter())
            .fold(0_u32, |number, digit| number * 10 + u32::from(digit - b'0'))
    };
    let (year, month, day) = (number(0, 4), number(5, 7), number(8, 10));
    if day < 1 || day > days(year, month) {
        return Err("TIMESTAMP names a day that does not exist");
    }
    // Section 6.2.3: the leap second 60 MUST NOT be used.
    if number(11, 13) > 23 || number(14, 16) > 59 || number(17, 19) > 59 {
        return Err("TIMESTAMP names a time that does not exist");
    }
    let zone = match rest.strip_prefix(b".") {
        None => rest,
        Some(fraction) => {
            let digits = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if !(1..=6).contains(&digits) {
                return Err("TIMESTAMP has 1 to 6 fraction digits");
            }
            &fraction[digits..]
        }
    };
    match zone {
        b"Z" => Ok(()),
        [b'+' | b'-', h1, h2, b':', m1, m2]
            if [h1, h2, m1, m2].iter().all(|digit| digit.is_ascii_digit())
                && (*h1, *h2) <= (b'2', b'3')
                && *m1 <= b'5' =>
        {
            Ok(())
        }
        _ => Err("TIMESTAMP ends with Z or +hh:mm or -hh:mm"),
    }
}

fn days(year: u32, month: u32) -> u32 {
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => {
            29
        }
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn only_timestamps_of_the_profile_pass() {
        for (field, expected) in [
            ("1985-04-12T23:20:50.52Z", true),
            ("1985-04-12T19:20:50.52-04:00", true),
            ("2003-08-24T05:14:15.000003-07:00", true),
            ("2024-02-29T00:00:00Z", true),
            ("2003-08-24T05:14:15.000000003-07:00", false),
            ("2026-04-21T14:23:45.Z", false),
            ("2026-02-29T00:00:00Z", false),
            ("2026-13-01T00:00:00Z", false),
            ("2026-04-00T00:00:00Z", false),
            ("2026-04-21T24:00:00Z", false),
            ("2026-12-31T23:59:60Z", false),
            ("2026-04-21t14:23:45z", false),
            ("2026-04-21T14:23:45", false),
            ("2026-04-21T14:23:45+0000", false),
            ("2026-04-21T14:23:45+24:00", false),
            ("2026-04-21 14:23:45Z", false),
            ("Apr 21 14:23:45", false),
        ] {
            assert_eq!(check(field.as_bytes()).is_ok(), expected, "{field}");
        }
    }
}
