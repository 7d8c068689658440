//! A host that parses has one meaning, to us and to other parsers.

use std::net::{IpAddr, Ipv6Addr};

use cap_egress::{DenialClass, Host, Policy};

use crate::policy::{class, embeddings};

pub fn check(written: &str) {
    match written.parse::<Host>() {
        Ok(host) => accepted(written, &host),
        Err(error) => refused(&error.to_string()),
    }
}

/// Messages go into logs and onto the settings page, so they hold no control characters.
fn refused(message: &str) {
    assert!(!message.chars().any(char::is_control), "{message:?}");
    assert!(message.len() < 2_000, "{message:?}");
}

fn accepted(written: &str, host: &Host) {
    let shown = host.to_string();
    assert_eq!(shown.parse::<Host>().as_ref().ok(), Some(host), "{shown:?}");
    assert!(written.is_ascii(), "{written:?}");
    assert!(!written.contains(['%', '@', '/', '\\', '?', '#', '\0', ' ']), "{written:?}");

    let respelled = |text: String| {
        let again = text.parse::<Host>();
        assert_eq!(again.as_ref().ok(), Some(host), "{text:?} and {written:?}");
    };
    respelled(written.to_ascii_uppercase());
    respelled(written.to_ascii_lowercase());
    if !written.contains([':', ']']) && !written.ends_with('.') {
        respelled(format!("{written}."));
    }

    match host.as_ip() {
        Some(address) => is_address(written, &shown, address),
        None => is_name(written, &shown),
    }
}

fn is_address(written: &str, shown: &str, address: IpAddr) {
    assert_eq!(shown.trim_matches(['[', ']']).parse(), Ok(address));
    let theirs = if written.contains(':') && !written.starts_with('[') {
        url::Host::parse(&format!("[{written}]"))
    } else {
        url::Host::parse(written)
    };
    // A browser's reading of the same text.
    match (address, theirs) {
        (IpAddr::V4(ours), Ok(url::Host::Ipv4(theirs))) => assert_eq!(ours, theirs, "{written:?}"),
        (IpAddr::V6(ours), Ok(url::Host::Ipv6(theirs))) => assert_eq!(ours, theirs, "{written:?}"),
        (_, theirs) => panic!("{written:?}: {address}, but to others {theirs:?}"),
    }
    let IpAddr::V4(inner) = address else { return };
    let policy = Policy::default().with_loopback_denied().with_private_denied();
    let plain = class(&policy, address);
    for outer in embeddings(inner) {
        let spellings = [
            format!("{outer}"),
            format!("[{outer}]"),
            format!("{outer}").to_uppercase(),
            uncompressed(outer),
        ];
        for spelling in spellings {
            let host: Host = spelling.parse().expect("an IPv6 address is a host");
            let outer = host.as_ip().expect("an IPv6 address is an address");
            assert_eq!(class(&policy, outer), plain, "{spelling} and {written:?}");
        }
    }
}

fn uncompressed(address: Ipv6Addr) -> String {
    address.segments().map(|segment| format!("{segment:04X}")).join(":")
}

fn is_name(written: &str, name: &str) {
    assert!(name.len() <= 253, "{name:?}");
    for label in name.split('.') {
        assert!((1..=63).contains(&label.len()), "{name:?}");
        let allowed = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_');
        assert!(label.bytes().all(allowed), "{name:?}");
    }
    // No other parser may read an address where we leave a name to the resolver.
    assert!(name.parse::<IpAddr>().is_err(), "{name:?}");
    for text in [name, written] {
        let theirs = url::Host::parse(text);
        let address = matches!(theirs, Ok(url::Host::Ipv4(_) | url::Host::Ipv6(_)));
        assert!(!address, "{text:?}: to others {theirs:?}");
    }

    let policy = Policy::default();
    let checked = policy.check_name(name);
    assert_eq!(policy.check_name(written), checked, "{written:?}");
    assert!(checked.is_ok_and(|()| true) || checked.is_err_and(|d| d.class() == DenialClass::Name));
}
