//! W3C Trace Context level 2, 3.2 Traceparent Header.

use crate::{PARENT, TRACE, VALID, passed_on};

fn check(value: &str, expected: Option<&str>) {
    let out = passed_on(&[("traceparent", value)], "traceparent");
    assert_eq!(out.as_deref(), expected, "{value:?}");
}

/// 3.2.1 Header Name: case-insensitive.
#[test]
fn the_name_has_no_case() {
    let out = passed_on(&[("TraceParent", VALID)], "traceparent");
    assert_eq!(out.as_deref(), Some(VALID));
}

/// 3.2 Traceparent Header: one header with one value. Of several, none counts.
#[test]
fn several_headers_are_as_good_as_none() {
    let other = VALID.replace("b7ad", "aaaa");
    for second in [VALID, &other] {
        let out = passed_on(&[("traceparent", VALID), ("traceparent", second)], "traceparent");
        assert_eq!(out, None);
    }
    check(&format!("{VALID},{VALID}"), None);
}

/// 3.2.2 traceparent Header Field Values: HEXDIGLC is lower case.
#[test]
fn digits_are_lower_case() {
    for field in [TRACE, PARENT] {
        check(&VALID.replace(field, &field.to_uppercase()), None);
    }
    check(&format!("00-{TRACE}-{PARENT}-0A"), None);
    check(&format!("CC-{TRACE}-{PARENT}-01"), None);
}

/// 3.2.2 traceparent Header Field Values: a dash between fields, and no other blanks than HTTP's
/// around them.
#[test]
fn dashes_delimit_the_fields() {
    for at in [2, 35, 52] {
        for other in ["_", "a", " "] {
            let mut value = VALID.to_owned();
            value.replace_range(at..=at, other);
            check(&value, None);
        }
    }
    check(&format!(" {VALID}\t"), Some(VALID));
}

/// 3.2.2.1 version: two digits, and ff is forbidden.
#[test]
fn version_ff_is_forbidden() {
    for version in ["ff", "0", "000", ".0", "0.", "xx", ""] {
        check(&format!("{version}-{TRACE}-{PARENT}-01"), None);
    }
}

/// 3.2.2.2 version-format: in version 00 every field has its length, and there are no further
/// fields.
#[test]
fn fields_have_their_lengths() {
    for value in [
        format!("00-{}-{PARENT}-01", &TRACE[1..]),
        format!("00-{TRACE}0-{PARENT}-01"),
        format!("00-{TRACE}-{}-01", &PARENT[1..]),
        format!("00-{TRACE}-{PARENT}0-01"),
        format!("00-{TRACE}-{PARENT}-1"),
        format!("00-{TRACE}-{PARENT}-001"),
        format!("00-{TRACE}-{PARENT}"),
        format!("00-{TRACE}-{PARENT}-01-"),
        format!("00-{TRACE}-{PARENT}-01-more"),
        format!("00-{TRACE}-{PARENT}-01.more"),
        String::new(),
    ] {
        check(&value, None);
    }
}

/// 3.2.2.3 trace-id and 3.2.2.4 parent-id: zeros and text that is not hexadecimal are invalid.
#[test]
fn ids_are_hexadecimal_and_not_all_zeros() {
    for id in [&"0".repeat(32), &TRACE.replace('9', "x"), &"é".repeat(16)] {
        check(&format!("00-{id}-{PARENT}-01"), None);
    }
    for id in [&"0".repeat(16), &PARENT.replace('9', ".")] {
        check(&format!("00-{TRACE}-{id}-01"), None);
    }
    let least = format!("00-{:032x}-{:016x}-01", 1, 1);
    check(&least, Some(&least));
}

/// 3.2.2.5.1 Sampled flag and 3.2.2.5.2 Random Trace ID Flag: each is sent on as it came.
#[test]
fn sampled_and_random_go_on_as_they_came() {
    for flags in ["00", "01", "02", "03"] {
        let value = format!("00-{TRACE}-{PARENT}-{flags}");
        check(&value, Some(&value));
    }
}

/// 3.2.2.5.3 Other Flags: they are set to zero.
#[test]
fn other_flags_are_set_to_zero() {
    for (flags, out) in [("ff", "03"), ("fc", "00"), ("05", "01")] {
        let expected = format!("00-{TRACE}-{PARENT}-{out}");
        check(&format!("00-{TRACE}-{PARENT}-{flags}"), Some(&expected));
    }
    for flags in [".0", "0.", "zz"] {
        check(&format!("00-{TRACE}-{PARENT}-{flags}"), None);
    }
}

/// 3.2.4 Versioning of traceparent: of a later version the known fields are read, and version 00 is
/// sent.
#[test]
fn a_later_version_is_read_as_far_as_it_is_known() {
    for more in ["", "-", "-what-the-future-will-be-like"] {
        let value = format!("cc-{TRACE}-{PARENT}-01{more}");
        check(&value, Some(VALID));
    }
    for more in [".what", "0"] {
        check(&format!("cc-{TRACE}-{PARENT}-01{more}"), None);
    }
    check(&format!("cc-{TRACE}-{PARENT}-0"), None);
    // Of its flags, only the sampled one.
    check(&format!("01-{TRACE}-{PARENT}-03"), Some(VALID));
}
