//! No embedding and no spelling of an IPv4 address changes its verdict.

use std::net::{Ipv4Addr, Ipv6Addr};

use cap_egress::DenialClass::{
    self, Configured, LinkLocal, Loopback, Metadata, NotUnicast, Private,
};
use cap_egress::{Host, Policy};
use proptest::prelude::*;

mod spelling;

/// All built-in rules and one of an operator's, with a translator of each length.
fn policy() -> Policy {
    let translators = TRANSLATORS.iter().map(|(prefix, _)| prefix.parse().unwrap());
    Policy::default()
        .with_loopback_denied()
        .with_private_denied()
        .with_denied(vec!["11.0.0.0/8".parse().unwrap()])
        .with_nat64(translators.collect())
}

/// The first and last address of each denied range. Single addresses precede the ranges around
/// them.
const DENIED: &[(&str, &str, DenialClass)] = &[
    ("169.254.169.254", "169.254.169.254", Metadata),
    ("169.254.169.252", "169.254.169.252", Metadata),
    ("169.254.170.2", "169.254.170.2", Metadata),
    ("169.254.170.23", "169.254.170.23", Metadata),
    ("169.254.42.42", "169.254.42.42", Metadata),
    ("169.254.0.23", "169.254.0.23", Metadata),
    ("168.63.129.16", "168.63.129.16", Metadata),
    ("100.100.100.200", "100.100.100.200", Metadata),
    ("192.0.0.192", "192.0.0.192", Metadata),
    ("169.254.0.0", "169.254.255.255", LinkLocal),
    ("0.0.0.0", "0.255.255.255", NotUnicast),
    ("224.0.0.0", "239.255.255.255", NotUnicast),
    ("240.0.0.0", "255.255.255.255", NotUnicast),
    ("127.0.0.0", "127.255.255.255", Loopback),
    ("10.0.0.0", "10.255.255.255", Private),
    ("172.16.0.0", "172.31.255.255", Private),
    ("192.168.0.0", "192.168.255.255", Private),
    ("100.64.0.0", "100.127.255.255", Private),
    ("11.0.0.0", "11.255.255.255", Configured),
];

/// A prefix of each length, and the octets of the IPv4 address (RFC 6052, 2.2).
const TRANSLATORS: &[(&str, [usize; 4])] = &[
    ("2a01:3232::/32", [4, 5, 6, 7]),
    ("2a01:4040:4000::/40", [5, 6, 7, 9]),
    ("2a01:4848:4848::/48", [6, 7, 9, 10]),
    ("2a01:5656:5656:5600::/56", [7, 9, 10, 11]),
    ("2a01:6464:6464:6464::/64", [9, 10, 11, 12]),
    ("2a01:9696:9696:9696:96:9696::/96", [12, 13, 14, 15]),
];

/// The bits before the IPv4 address in the forms that need no setting.
const PREFIXES: &[&str] = &[
    "::",
    "::ffff:0:0",
    "::ffff:0:0:0",
    "64:ff9b::",
    "2606:4700::5efe:0:0",
    "2606:4700::200:5efe:0:0",
    "2606:4700:1:2:0:5efe::",
];

/// Every embedding, written independently of the decoder.
fn embeddings(inner: Ipv4Addr) -> Vec<Ipv6Addr> {
    let place = |prefix: &str, places: [usize; 4]| {
        let mut octets = prefix.parse::<Ipv6Addr>().unwrap().octets();
        for (place, octet) in places.into_iter().zip(inner.octets()) {
            octets[place] = octet;
        }
        Ipv6Addr::from(octets)
    };
    let fixed = PREFIXES.iter().map(|prefix| place(prefix, [12, 13, 14, 15]));
    let translated = TRANSLATORS.iter().map(|(prefix, places)| {
        let (prefix, _) = prefix.split_once('/').unwrap();
        place(prefix, *places)
    });
    // `::` and `::1` are not embeddings.
    let plain = |address: &Ipv6Addr| address.is_unspecified() || address.is_loopback();
    fixed.chain(translated).filter(|address| !plain(address)).collect()
}

fn class_by_range(address: Ipv4Addr) -> Option<DenialClass> {
    let within = |(first, last, _): &&(&str, &str, DenialClass)| {
        let [first, last] = [first, last].map(|edge| edge.parse::<Ipv4Addr>().unwrap());
        (first..=last).contains(&address)
    };
    DENIED.iter().find(within).map(|(.., class)| *class)
}

/// Checks that every spelling of the address and of its embeddings has the class of its range.
fn check(policy: &Policy, inner: Ipv4Addr) {
    let expected = class_by_range(inner);
    let embedded = embeddings(inner).into_iter().flat_map(spelling::ipv6);
    for written in spelling::ipv4(inner).into_iter().chain(embedded) {
        let host: Host = written.parse().unwrap();
        let address = host.as_ip().unwrap_or_else(|| panic!("{written} is no address"));
        let class = policy.check(address).err().map(|denial| denial.class());
        assert_eq!(class, expected, "{written} for {inner}");
    }
}

#[test]
fn denied_ranges_end_at_their_edges_in_every_embedding() {
    let policy = policy();
    for (first, last, _) in DENIED {
        for edge in [first, last] {
            let edge: Ipv4Addr = edge.parse().unwrap();
            for step in [-1, 0, 1] {
                check(&policy, Ipv4Addr::from_bits(edge.to_bits().wrapping_add_signed(step)));
            }
        }
    }
}

proptest! {
    #[test]
    fn a_denied_address_is_denied_in_every_embedding(
        (first, last, _) in prop::sample::select(DENIED), random in any::<u32>(),
    ) {
        let [first, last] = [first, last].map(|edge| edge.parse::<Ipv4Addr>().unwrap().to_bits());
        check(&policy(), Ipv4Addr::from_bits(first + random % (last - first + 1)));
    }

    #[test]
    fn no_embedding_or_spelling_changes_the_verdict(inner in any::<u32>()) {
        check(&policy(), Ipv4Addr::from_bits(inner));
    }
}
