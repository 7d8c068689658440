//! The effect of an operator's ranges, and the text of a denial.

use std::net::IpAddr;

use cap_egress::{DenialClass, IpNet, Policy};

fn ranges(text: &[&str]) -> Vec<IpNet> {
    text.iter().map(|range| range.parse().unwrap()).collect()
}

fn check(policy: &Policy, address: &str) -> Result<(), cap_egress::Denial> {
    policy.check(address.parse::<IpAddr>().unwrap())
}

#[test]
fn an_operator_can_deny_a_range_in_every_embedding() {
    let policy = Policy::default().with_denied(ranges(&["10.0.0.0/8", "fd00::/16"]));
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd00::1"] {
        let denial = check(&policy, address).unwrap_err();
        assert_eq!(denial.class(), DenialClass::Configured, "{address}");
        assert!(denial.to_string().contains("`egress.deny`"), "{denial}");
    }
    assert!(check(&policy, "11.1.2.3").is_ok());
    assert_eq!(check(&policy, "fd00:ec2::254").unwrap_err().class(), DenialClass::Metadata);
}

#[test]
fn a_denied_range_written_as_ipv4_mapped_is_the_ipv4_range() {
    let policy = Policy::default().with_denied(ranges(&["::ffff:10.0.0.0/104"]));
    for address in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3"] {
        let denial = check(&policy, address).unwrap_err();
        assert_eq!(denial.class(), DenialClass::Configured, "{address}");
    }
    assert!(check(&policy, "11.1.2.3").is_ok());
    assert!(check(&policy, "::1").is_ok());
}

#[test]
fn an_exempt_range_overrules_loopback_and_private_denials() {
    let policy = Policy::default()
        .with_loopback_denied()
        .with_private_denied()
        .with_exempt(ranges(&["127.0.0.1/32", "10.1.0.0/16", "fd00:1::/32"]));
    for address in ["127.0.0.1", "::ffff:127.0.0.1", "10.1.2.3", "fd00:1::2"] {
        assert!(check(&policy, address).is_ok(), "{address}");
    }
    for (address, class) in [
        ("127.0.0.2", DenialClass::Loopback),
        ("::1", DenialClass::Loopback),
        ("10.2.2.3", DenialClass::Private),
        ("fd00:2::2", DenialClass::Private),
    ] {
        assert_eq!(check(&policy, address).unwrap_err().class(), class, "{address}");
    }
}

#[test]
fn an_exempt_range_overrules_denials_of_its_addresses_only() {
    let policy = Policy::default().with_denied(ranges(&["10.0.0.0/8"])).with_exempt(ranges(&[
        "10.1.0.0/16",
        "169.254.169.254/32",
        "fe80::/64",
        "2002::/16",
    ]));
    for address in ["10.1.2.3", "169.254.169.254", "::ffff:169.254.169.254", "fe80::1", "2002::1"] {
        assert!(check(&policy, address).is_ok(), "{address}");
    }
    for address in ["10.2.2.3", "169.254.169.252", "169.254.1.1", "fe80:0:0:1::1"] {
        assert!(check(&policy, address).is_err(), "{address}");
    }
}

#[test]
fn an_exempt_ipv6_range_does_not_exempt_embedded_ipv4() {
    let policy = Policy::default().with_exempt(ranges(&["::/0"]));
    for address in ["::ffff:169.254.169.254", "64:ff9b::a9fe:a9fe", "fe80::5efe:169.254.169.254"] {
        assert_eq!(
            check(&policy, address).unwrap_err().class(),
            DenialClass::Metadata,
            "{address}"
        );
    }
    assert!(check(&policy, "fe80::1").is_ok());
}

#[test]
fn a_denial_names_the_rule_and_the_setting_and_not_the_address() {
    let denial = check(&Policy::default(), "::ffff:169.254.77.78").unwrap_err();
    assert_eq!(denial.rule(), "169.254.0.0/16 (link-local)");
    let said = denial.to_string();
    assert_eq!(
        said,
        "denied as link_local: 169.254.0.0/16 (link-local), written inside ::ffff:0:0/96 (IPv4-mapped); \
         if this is wanted, list the IPv4 address in `egress.allow`"
    );
}
