//! The prefixes of a site's own translators.

use cap_egress::{Denial, DenialClass, Nat64Prefix, Policy, Stage};

fn translating(prefixes: &[&str]) -> Policy {
    let parsed = prefixes.iter().map(|prefix| prefix.parse().unwrap());
    Policy::default().with_nat64(parsed.collect())
}

fn check(policy: &Policy, address: &str) -> Result<(), Denial> {
    policy.check(address.parse().unwrap())
}

fn class(policy: &Policy, address: &str) -> Option<DenialClass> {
    check(policy, address).err().map(|denial| denial.class())
}

/// The table of RFC 6052, 2.4. Every address contains 192.0.2.33.
const EXAMPLES: &[(&str, &str)] = &[
    ("2001:db8::/32", "2001:db8:c000:221::"),
    ("2001:db8:100::/40", "2001:db8:1c0:2:21::"),
    ("2001:db8:122::/48", "2001:db8:122:c000:2:2100::"),
    ("2001:db8:122:300::/56", "2001:db8:122:3c0:0:221::"),
    ("2001:db8:122:344::/64", "2001:db8:122:344:c0:2:2100::"),
    ("2001:db8:122:344::/96", "2001:db8:122:344::192.0.2.33"),
];

#[test]
fn the_ipv4_address_is_read_where_rfc_6052_puts_it() {
    for (prefix, address) in EXAMPLES {
        let only = |range: &str| translating(&[prefix]).with_denied(vec![range.parse().unwrap()]);
        assert_eq!(
            class(&only("192.0.2.33/32"), address),
            Some(DenialClass::Configured),
            "{address}"
        );
        for other in ["192.0.2.32/32", "192.0.2.34/32", "0.0.0.0/2"] {
            assert_eq!(class(&only(other), address), None, "{address}, {other}");
        }
    }
}

#[test]
fn the_reserved_octet_and_the_suffix_hide_nothing() {
    let policy = translating(&["2001:db8:64::/48"]);
    for address in [
        "2001:db8:64:a9fe:a9:fe00::",
        "2001:db8:64:a9fe:ffa9:fe00::",
        "2001:db8:64:a9fe:a9:feff:ffff:ffff",
    ] {
        assert_eq!(class(&policy, address), Some(DenialClass::Metadata), "{address}");
    }
}

#[test]
fn of_overlapping_prefixes_the_longest_decides() {
    for order in [["2001:db8::/32", "2001:db8::/96"], ["2001:db8::/96", "2001:db8::/32"]] {
        let policy = translating(&order);
        // By the shorter prefix this would be 0.0.0.0.
        assert_eq!(class(&policy, "2001:db8::8.8.8.8"), None);
        assert_eq!(class(&policy, "2001:db8::169.254.169.254"), Some(DenialClass::Metadata));
        assert_eq!(class(&policy, "2001:db8:a9fe:a9fe::"), Some(DenialClass::Metadata));
    }
}

#[test]
fn a_named_translator_in_a_denied_range_is_decoded() {
    let policy = translating(&["64:ff9b:1::/96", "fd64::/96"]).with_private_denied();
    for prefix in ["64:ff9b:1::", "fd64::"] {
        assert_eq!(class(&policy, &format!("{prefix}8.8.8.8")), None);
        assert_eq!(class(&policy, &format!("{prefix}10.0.0.1")), Some(DenialClass::Private));
        let denial = check(&policy, &format!("{prefix}169.254.169.254")).unwrap_err();
        assert_eq!(denial.class(), DenialClass::Metadata);
        assert!(denial.to_string().contains("a prefix of `egress.nat64_prefixes`"), "{denial}");
    }
    assert_eq!(class(&policy, "64:ff9b:1:1::8.8.8.8"), Some(DenialClass::Tunnel));
    assert_eq!(class(&policy, "fd65::8.8.8.8"), Some(DenialClass::Private));
}

#[test]
fn a_named_translator_wins_over_an_isatap_lookalike() {
    // 198.0.94.254 behind a prefix of 56 bits, whose suffix would be 0.0.0.0 to ISATAP.
    let address = "2001:db8:122:3c6:0:5efe::";
    assert_eq!(class(&translating(&["2001:db8:122:300::/56"]), address), None);
    assert_eq!(class(&Policy::default(), address), Some(DenialClass::NotUnicast));
}

#[test]
fn a_prefix_that_no_translator_has_is_refused_with_advice() {
    for (written, advice) in [
        ("2001:db8:64::/33", "one of 32, 40, 48, 56, 64 and 96"),
        ("2001:db8:64::/0", "one of 32, 40, 48, 56, 64 and 96"),
        ("2001:db8:64::/128", "one of 32, 40, 48, 56, 64 and 96"),
        ("2001:db8:64::1/96", "bits are set after its length"),
        ("2001:db8:64::/32", "bits are set after its length"),
        ("2001:db8:64:0:100::/96", "bits 64 to 71 are zero"),
        ("2001:db8:64::", "write an IPv6 prefix"),
        ("2001:db8:64::/129", "write an IPv6 prefix"),
        ("10.0.0.0/32", "write an IPv6 prefix"),
        ("", "write an IPv6 prefix"),
    ] {
        let error = written.parse::<Nat64Prefix>().unwrap_err();
        assert_eq!(error.stage(), Stage::Configuration);
        assert!(error.to_string().contains(advice), "{error}");
    }
}
