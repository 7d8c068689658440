//! Every spelling and what the default policy says about it.

use std::net::IpAddr;

use cap_egress::{DenialClass, Host, IpNet, Policy};

/// "allowed", "name" for a name that is left to the resolver, a denial class, or "refused" for what is no host.
fn verdict(written: &str, policy: &Policy) -> &'static str {
    let Ok(host) = written.parse::<Host>() else {
        return "refused";
    };
    let Some(address) = host.as_ip() else {
        return match policy.judge_name(&host.to_string()) {
            Ok(()) => "name",
            Err(denial) => match denial.class() {
                DenialClass::Name => "denied name",
                other => other.as_str(),
            },
        };
    };
    match policy.judge(address) {
        Ok(()) => "allowed",
        Err(denial) => denial.class().as_str(),
    }
}

#[rustfmt::skip]
const TABLE: &[(&str, &[&str])] = &[
    ("metadata", &[
        "169.254.169.254", "169.254.169.254.", "169.254.169.252", "169.254.170.2", "169.254.170.23", "169.254.42.42",
        "169.254.0.23", "168.63.129.16", "100.100.100.200", "192.0.0.192",
        // The spellings of inet_aton(3).
        "2852039166", "0xa9fea9fe", "0XA9FEA9FE", "025177524776", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe",
        "0xA9.254.0251.0xfe", "169.254.43518", "169.16689662", "169.254.0xa9fe", "00000251.254.169.254", "2852039166.",
        "2822734096", "1684301000", "100.6579400",
        // Inside IPv6.
        "::ffff:169.254.169.254", "[::ffff:169.254.169.254]", "::ffff:a9fe:a9fe", "[::FFFF:A9FE:A9FE]",
        "0:0:0:0:0:ffff:169.254.169.254", "::169.254.169.254", "::a9fe:a9fe", "::ffff:0:169.254.169.254",
        "::ffff:0:a9fe:a9fe", "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "2001:db8::5efe:169.254.169.254",
        "2001:db8::200:5efe:169.254.169.254", "fd12::5efe:a83f:8110", "64:ff9b::100.100.100.200",
        "::ffff:192.0.0.192",
        // IPv6 of its own.
        "fd00:ec2::254", "[fd00:ec2::254]", "fd00:ec2::23", "fd00:0ec2:0:0:0:0:0:254", "fd20:ce::254", "fd00:42::42",
        "fd00:c1::a9fe:a9fe",
    ]),
    ("link_local", &[
        "169.254.0.0", "169.254.0.1", "169.254.1.1", "169.254.169.253", "169.254.255.255", "169.16646145", "0xa9fe0001",
        "::ffff:169.254.1.1", "64:ff9b::169.254.1.1", "fe80::1", "[fe80::1]", "febf:ffff::1", "fe80::5efe:10.0.0.1",
        "fec0::1", "feff::1",
    ]),
    ("never_a_peer", &[
        "0", "1", "0.0.0.0", "0.", "00", "0x0", "0.0", "0.1.2.3", "0.255.255.255", "::", "[::]", "::0.0.0.2", "::ffff:0.0.0.0",
        "64:ff9b::", "224.0.0.1", "239.255.255.255", "ff02::1", "ff0e::1", "240.0.0.1", "255.255.255.255", "4294967295",
        "0xffffffff", "::ffff:255.255.255.255", "::224.0.0.1",
    ]),
    ("tunnel", &[
        "64:ff9b:1::", "64:ff9b:1::a9fe:a9fe", "64:ff9b:1:ffff::10.0.0.1", "2002:a9fe:a9fe::", "2002:0a00:0001::1",
        "2002::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ]),
    ("allowed", &[
        "127.0.0.1", "127.1", "169.254", "2130706433", "0x7f000001", "017700000001", "127.255.255.254", "::1", "[::1]",
        "::ffff:127.0.0.1", "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "100.64.0.1",
        "100.127.255.254", "100.100.100.199", "100.100.100.201", "168.63.129.15", "168.63.129.17", "192.0.0.191",
        "169.253.255.255", "169.255.0.0", "1.1.1.1", "8.8.8.8", "93.184.216.34", "223.255.255.255", "1.0.0.0",
        "::ffff:10.0.0.1", "::10.0.0.1", "64:ff9b::8.8.8.8", "2001:db8::5efe:10.0.0.1", "fc00::1", "fd00::1",
        "fd12:3456:789a::1", "fd20:ce::253", "fd00:42::43", "fd00:ec1:ffff::1", "fd00:ec3::", "2001:1::1",
        "2001:4860:4860::8888", "2003::1", "2606:4700::1111", "fe00::1", "fe7f:ffff::1", "64:ff9a::1", "64:ff9b:2::1",
    ]),
    ("denied name", &[
        "metadata", "metadata.", "METADATA", "metadata.google.internal", "Metadata.Google.Internal.", "metadata.goog",
        "instance-data", "metadata.tencentyun.com",
    ]),
    ("name", &[
        "localhost", "relay.example", "relay.example.", "metadata.example", "my-metadata", "metadata.google.internal.example",
        "xn--bcher-kva.example", "_syslog._tcp.example", "1.example", "169.254.169.254.example", "0xa9fea9fe.example",
        "1_000", "face", "0xface.g",
    ]),
    ("refused", &[
        "", ".", "..", "a..b", ".a", "relay.example..", "fe80::1%lo", "[fe80::1%25lo]", "%31", "user@relay.example",
        "169.254.169.254@relay.example", "http://relay.example", "relay.example/path", "relay.example:514",
        "169.254.169.254:80", "[::1]:514", "[::1", "::1]", "[127.0.0.1]", "[relay.example]", "[]", " 127.0.0.1",
        "127.0.0.1\n", "relay\texample", "relay\0.example", "127.0.0.1#", "a?b", "a\\b", "a,b", "a*b", "+1", "1.+2",
        // Full-width and circled digits, ideographic full stops, a soft hyphen: what normalisation would turn into
        // digits.
        "\u{ff11}\u{ff16}\u{ff19}.254.169.254", "\u{2460}\u{2465}\u{2468}.254.169.254", "169\u{3002}254\u{3002}169\u{3002}254",
        "169.254.169.2\u{ad}54", "b\u{fc}cher.example",
        // Ends in a number, but is no address to every resolver alike.
        "256.1.1.1", "1.2.3.4.5", "1.2.3.256", "1.2.65536", "1.16777216", "4294967296", "08", "09.1.1.1", "0x", "1.0x",
        "0x1ffffffff", "relay.1", "relay.0x7f", "1.2.3.08", "99999999999999999999", "0x.1.1.1", "1..2", ":::",
        "::ffff:169.254.169.256", "12345::1", "1:2:3:4:5:6:7",
    ]),
];

#[test]
fn every_spelling_gets_its_verdict_by_default() {
    let policy = Policy::default();
    let rows = TABLE
        .iter()
        .flat_map(|(verdict, rows)| rows.iter().map(move |row| (row, verdict)));
    let wrong: Vec<_> = rows
        .clone()
        .filter(|(written, expected)| verdict(written, &policy) != **expected)
        .map(|(written, expected)| {
            format!(
                "{written:?}: expected {expected}, got {}",
                verdict(written, &policy)
            )
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
    assert!(rows.count() >= 200);
}

fn ranges(text: &[&str]) -> Vec<IpNet> {
    text.iter().map(|range| range.parse().unwrap()).collect()
}

fn judge(policy: &Policy, address: &str) -> Result<(), cap_egress::Denial> {
    policy.judge(address.parse::<IpAddr>().unwrap())
}

#[test]
fn an_operator_can_deny_a_range_in_every_embedding() {
    let policy = Policy::default().with_denied(ranges(&["10.0.0.0/8", "fd00::/16"]));
    for address in [
        "10.1.2.3",
        "::ffff:10.1.2.3",
        "64:ff9b::10.1.2.3",
        "fd00::1",
    ] {
        let denial = judge(&policy, address).unwrap_err();
        assert_eq!(denial.class(), DenialClass::Configured, "{address}");
        assert!(denial.to_string().contains("`egress.deny`"), "{denial}");
    }
    assert!(judge(&policy, "11.1.2.3").is_ok());
    assert_eq!(
        judge(&policy, "fd00:ec2::254").unwrap_err().class(),
        DenialClass::Metadata
    );
}

#[test]
fn an_exempt_range_overrules_built_in_and_configured_denials_for_its_addresses_only() {
    let policy = Policy::default()
        .with_denied(ranges(&["10.0.0.0/8"]))
        .with_exempt(ranges(&[
            "10.1.0.0/16",
            "169.254.169.254/32",
            "fe80::/64",
            "2002::/16",
        ]));
    for address in [
        "10.1.2.3",
        "169.254.169.254",
        "::ffff:169.254.169.254",
        "fe80::1",
        "2002::1",
    ] {
        assert!(judge(&policy, address).is_ok(), "{address}");
    }
    for address in [
        "10.2.2.3",
        "169.254.169.252",
        "169.254.1.1",
        "fe80:0:0:1::1",
    ] {
        assert!(judge(&policy, address).is_err(), "{address}");
    }
}

#[test]
fn an_exempt_ipv6_range_does_not_open_the_ipv4_addresses_inside_it() {
    let policy = Policy::default().with_exempt(ranges(&["::/0"]));
    for address in [
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "fe80::5efe:169.254.169.254",
    ] {
        assert_eq!(
            judge(&policy, address).unwrap_err().class(),
            DenialClass::Metadata,
            "{address}"
        );
    }
    assert!(judge(&policy, "fe80::1").is_ok());
}

#[test]
fn a_denial_names_the_rule_and_the_setting_and_not_the_address() {
    let denial = judge(&Policy::default(), "::ffff:169.254.77.78").unwrap_err();
    assert_eq!(denial.rule(), "169.254.0.0/16 (link-local)");
    let said = denial.to_string();
    assert_eq!(
        said,
        "denied as link_local: 169.254.0.0/16 (link-local), written inside ::ffff:0:0/96 (IPv4-mapped); \
         if this is wanted, list the address in `egress.allow`"
    );
}
