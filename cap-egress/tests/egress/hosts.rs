//! A host parses to one address or name, or is refused with advice.

use cap_egress::{Host, Stage};
use proptest::prelude::*;

fn refusal(written: &str) -> String {
    let error = written.parse::<Host>().unwrap_err();
    assert_eq!(error.stage(), Stage::Configuration);
    error.to_string()
}

#[test]
fn a_name_has_at_most_63_characters_a_label_and_253_in_all() {
    let label = "a".repeat(63);
    let name = [&*label, &*label, &*label, &*"a".repeat(61)].join(".");
    assert_eq!(name.len(), 253);
    assert!(name.parse::<Host>().is_ok());
    assert!(format!("{name}.").parse::<Host>().is_ok());
    assert!(format!("{name}a").parse::<Host>().is_err());
    assert!("a".repeat(64).parse::<Host>().is_err());
}

#[test]
fn a_refusal_says_what_to_write_instead() {
    for (written, advice) in [
        ("relay.example:514", "a port has its own setting"),
        ("[::1]:514", "a port has its own setting"),
        ("http://relay.example", "without a scheme or a path"),
        ("bücher.example", "xn--"),
        ("fe80::1%eth0", "zone identifiers"),
        ("", "it is empty"),
        ("256.1.1.1", "is not an IPv4 address"),
    ] {
        let said = refusal(written);
        assert!(said.contains(advice), "{written}: {said}");
    }
}

#[test]
fn a_refusal_never_repeats_a_password() {
    for at in ["@", "%40", "\u{ff20}", "\u{fe6b}"] {
        let said = refusal(&format!("admin:hunter2{at}relay.example"));
        assert!(!said.contains("hunter2"), "{said}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_numeric_spelling_means_what_getaddrinfo_reads() {
    #![expect(
        clippy::disallowed_methods,
        reason = "the system's resolver is the reference; a numeric host sends nothing"
    )]
    use std::net::ToSocketAddrs;

    for written in [
        "2852039166",
        "0xa9fea9fe",
        "025177524776",
        "0251.0376.0251.0376",
        "0xa9.0xfe.0xa9.0xfe",
        "0xA9.254.0251.0xfe",
        "169.254.43518",
        "169.16689662",
        "169.254.0xa9fe",
        "00000251.254.169.254",
        "0",
        "0x0",
        "127.1",
        "010.1",
        "::ffff:169.254.169.254",
        "4294967295",
        "1.2.65535",
        "1.16777215",
    ] {
        let system: Vec<_> =
            (written, 0).to_socket_addrs().unwrap().map(|answer| answer.ip()).collect();
        assert_eq!(system, [written.parse::<Host>().unwrap().as_ip().unwrap()], "{written}");
    }
}

proptest! {
    #[test]
    fn any_text_parses_or_is_refused_and_what_parses_reads_back(written in any::<String>()) {
        if let Ok(host) = written.parse::<Host>() {
            prop_assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
        }
    }

    #[test]
    fn a_parsed_host_reads_back_as_the_same_host(written in "(0x|0)?[0-9a-fx_-]{1,5}([.:](0x|0)?[0-9a-fX]{0,4}){0,6}\\.?") {
        if let Ok(host) = written.parse::<Host>() {
            prop_assert_eq!(host.to_string().parse::<Host>().unwrap(), host);
        }
    }

    #[test]
    fn no_name_parses_as_an_address_in_the_standard_library(written in "[0-9a-f.:]{1,20}") {
        if let Ok(host) = written.parse::<Host>() && host.as_ip().is_none() {
            prop_assert!(written.parse::<std::net::IpAddr>().is_err());
        }
    }
}
