//! The egress policy against that of the crate `ssrf-guard`. Each difference has a reason listed
//! here.
//!
//! That crate denies everything that is not public, so ours denies loopback and private ranges
//! here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use Verdict::{Allowed, Denied};
use cap_egress::Policy;
use ipnet::IpNet;
use proptest::prelude::*;

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Verdict {
    Allowed,
    Denied,
}

const UNROUTED: &str =
    "reserved for examples or tests: nothing internal lives there, and laboratories do use it";
const ASSIGNED: &str =
    "assigned to protocols: no service answers there but the one metadata address that both deny";

/// Prefix, our class, theirs, reason. It also holds for an IPv4 address in each form that both
/// decode.
#[rustfmt::skip]
const DISAGREEMENTS: &[(&str, Verdict, Verdict, &str)] = &[
    ("168.63.129.16/32", Denied, Allowed, "Azure's wire server hands out credentials at a public address"),
    ("192.0.2.0/24", Allowed, Denied, UNROUTED),
    ("198.51.100.0/24", Allowed, Denied, UNROUTED),
    ("203.0.113.0/24", Allowed, Denied, UNROUTED),
    ("198.18.0.0/15", Allowed, Denied, UNROUTED),
    ("192.0.0.0/24", Allowed, Denied, ASSIGNED),
    ("192.88.99.0/24", Allowed, Denied, "the anycast address of a relay, which answers no TCP or UDP; what it relays is denied"),
    ("2001:db8::/32", Allowed, Denied, UNROUTED),
    ("3fff::/20", Allowed, Denied, UNROUTED),
    ("2001:2::/48", Allowed, Denied, UNROUTED),
    ("100::/64", Allowed, Denied, "packets to it are discarded"),
    ("5f00::/16", Allowed, Denied, "segment identifiers of routers: no socket listens on one"),
];

/// The edges of the ranges that either of the two treats specially.
#[rustfmt::skip]
const EDGES: &[&str] = &[
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "100.100.100.200/32", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
    "169.254.169.254/32", "169.254.169.252/32", "169.254.170.2/32", "169.254.170.23/32", "169.254.42.42/32", "169.254.0.23/32",
    "172.16.0.0/12", "192.0.0.0/24", "192.0.0.192/32", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
    "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/32",
    "2001:2::/48", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fd00:ec2::/32", "fd20:ce::254/128",
    "fd00:42::42/128", "fd00:c1::a9fe:a9fe/128", "fe80::/10", "fec0::/10", "ff00::/8",
];

/// The prefixes of 96 bits after which both read an IPv4 address.
const EMBEDDINGS: [u128; 4] = [0, 0xffff << 32, 0xffff << 48, 0x0064_ff9b << 96];

fn ours(address: IpAddr) -> Verdict {
    let policy = Policy::default().with_loopback_denied().with_private_denied();
    policy.check(address).map_or(Denied, |()| Allowed)
}

fn theirs(address: IpAddr) -> Verdict {
    if ssrf_guard::is_public(address) { Allowed } else { Denied }
}

/// Our answer is theirs, or the one that a listed reason gives.
fn explained(address: IpAddr) -> bool {
    let (ours, theirs) = (ours(address), theirs(address));
    ours == theirs
        || row(read(address)).is_some_and(|(_, a, b, _)| (*a, *b) == (ours, theirs))
        // That crate does not decode ISATAP, which has no prefix of its own.
        || isatap(address).is_some_and(|inner| self::ours(inner) == Denied && (ours, theirs) == (Denied, Allowed))
}

fn row(address: IpAddr) -> Option<&'static (&'static str, Verdict, Verdict, &'static str)> {
    DISAGREEMENTS.iter().find(|(range, ..)| net(range).contains(&address))
}

/// The IPv4 address in the forms that both decode, or the address itself.
fn read(address: IpAddr) -> IpAddr {
    let IpAddr::V6(outer) = address else {
        return address;
    };
    let (prefix, low) = (outer.to_bits() >> 32 << 32, outer.to_bits() as u32);
    let embedded = EMBEDDINGS.contains(&prefix) && outer.to_bits() > 1;
    if embedded { IpAddr::V4(low.into()) } else { address }
}

fn isatap(address: IpAddr) -> Option<IpAddr> {
    let IpAddr::V6(outer) = address else {
        return None;
    };
    let identifier = (outer.to_bits() >> 32) as u32;
    let low = Ipv4Addr::from_bits(outer.to_bits() as u32);
    matches!(identifier, 0x5efe | 0x0200_5efe).then_some(low.into())
}

fn net(text: &str) -> IpNet {
    text.parse().expect("a range")
}

fn v4(bits: u32) -> IpAddr {
    Ipv4Addr::from_bits(bits).into()
}

fn v6(bits: u128) -> IpAddr {
    Ipv6Addr::from_bits(bits).into()
}

/// An address and its neighbors.
fn around(address: IpAddr) -> [IpAddr; 3] {
    match address {
        IpAddr::V4(a) => [u32::MAX, 0, 1].map(|step| v4(a.to_bits().wrapping_add(step))),
        IpAddr::V6(a) => [u128::MAX, 0, 1].map(|step| v6(a.to_bits().wrapping_add(step))),
    }
}

fn assert_explained(addresses: impl IntoIterator<Item = IpAddr>) {
    let surprises: Vec<_> = addresses
        .into_iter()
        .filter(|address| !explained(*address))
        .map(|address| format!("{address}: ours {:?}, theirs {:?}", ours(address), theirs(address)))
        .take(20)
        .collect();
    assert!(surprises.is_empty(), "{surprises:#?}");
}

#[test]
fn every_listed_disagreement_is_one() {
    for (range, a, b, why) in DISAGREEMENTS {
        for address in [net(range).network(), net(range).broadcast()] {
            assert_eq!((ours(address), theirs(address)), (*a, *b), "{address} of {range} ({why})");
        }
    }
    let isatap: IpAddr = "2606:4700::5efe:169.254.169.254".parse().expect("an address");
    assert_eq!((ours(isatap), theirs(isatap)), (Denied, Allowed), "{isatap} (ISATAP)");
}

#[test]
fn both_agree_at_every_edge_and_just_beyond() {
    let edges = EDGES.iter().map(|text| net(text)).flat_map(|net| [net.network(), net.broadcast()]);
    let edges: Vec<_> = edges.flat_map(around).collect();
    let embedded = edges.iter().filter_map(|address| match address {
        IpAddr::V4(inner) => {
            Some(EMBEDDINGS.map(|prefix| v6(prefix | u128::from(inner.to_bits()))))
        }
        IpAddr::V6(_) => None,
    });
    assert_explained(embedded.flatten());
    assert_explained(edges);
}

#[test]
fn both_agree_at_both_ends_of_every_16_bit_prefix() {
    for prefix in 0..=u16::MAX {
        let (low, high) = (u32::from(prefix) << 16, u128::from(prefix) << 112);
        assert_explained([v4(low), v4(low | 0xffff), v6(high), v6(high | u128::MAX >> 16)]);
        for embedding in EMBEDDINGS {
            assert_explained([
                v6(embedding | u128::from(low)),
                v6(embedding | u128::from(low | 0xffff)),
            ]);
        }
    }
}

fn near_an_edge() -> impl Strategy<Value = IpAddr> {
    let inside =
        (prop::sample::select(EDGES), any::<u128>()).prop_map(|(text, random)| match net(text) {
            IpNet::V4(net) => {
                v4(net.network().to_bits() | (random as u32 & net.hostmask().to_bits()))
            }
            IpNet::V6(net) => v6(net.network().to_bits() | (random & net.hostmask().to_bits())),
        });
    (inside, 0..128_u32).prop_map(|(address, bit)| match address {
        // The same with one bit flipped, which may be a bit of the prefix.
        IpAddr::V4(a) => v4(a.to_bits() ^ (1 << (bit % 32))),
        IpAddr::V6(a) => v6(a.to_bits() ^ (1 << bit)),
    })
}

fn embedded() -> impl Strategy<Value = IpAddr> {
    let prefix = prop_oneof![
        prop::sample::select(&EMBEDDINGS[..]),
        any::<u64>().prop_map(|high| (u128::from(high) << 64) | (0x5efe << 32)),
        any::<u64>().prop_map(|high| (u128::from(high) << 64) | (0x0200_5efe << 32)),
    ];
    let inner = prop_oneof![
        any::<u32>(),
        near_an_edge().prop_map(|address| match address {
            IpAddr::V4(a) => a.to_bits(),
            IpAddr::V6(a) => a.to_bits() as u32,
        }),
    ];
    (prefix, inner).prop_map(|(prefix, inner)| v6(prefix | u128::from(inner)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100_000) })]

    #[test]
    fn both_agree_on_any_address(
        address in prop_oneof![any::<u32>().prop_map(v4), any::<u128>().prop_map(v6), near_an_edge(), embedded()],
    ) {
        prop_assert!(explained(address), "{}: ours {:?}, theirs {:?}", address, ours(address), theirs(address));
    }
}
