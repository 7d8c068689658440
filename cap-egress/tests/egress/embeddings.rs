//! What holds for every IPv4 address: an embedding changes nothing about the verdict.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cap_egress::Policy;
use proptest::prelude::*;

/// The decoded embeddings of an IPv4 address, written independently of the guard's decoder: prefix, then 32 bits.
fn embeddings(inner: Ipv4Addr) -> Vec<Ipv6Addr> {
    let prefixes: [u128; 8] = [
        0,                                         // ::/96
        0x0000_ffff << 32,                         // ::ffff:0:0/96
        0xffff << 48,                              // ::ffff:0:0:0/96
        0x0064_ff9b << 96,                         // 64:ff9b::/96
        (0x2001_0db8 << 96) | (0x0000_5efe << 32), // ISATAP, local
        (0x2001_0db8 << 96) | (0x0200_5efe << 32), // ISATAP, universal
        (0xfd12_3456 << 96) | (0x0000_5efe << 32), // ISATAP under a unique local prefix
        (0x2a00_1450 << 96) | (7 << 64) | (0x0200_5efe << 32),
    ];
    let low = u128::from(inner.to_bits());
    let all = prefixes.map(|prefix| Ipv6Addr::from_bits(prefix | low));
    // `::` and `::1` are no embeddings.
    all.into_iter()
        .filter(|address| !address.is_unspecified() && !address.is_loopback())
        .collect()
}

/// Addresses near the table's edges as often as any address.
fn ipv4() -> impl Strategy<Value = Ipv4Addr> {
    let edge = prop::sample::select(vec![
        "169.254.0.0",
        "169.254.169.254",
        "169.254.255.255",
        "168.63.129.16",
        "100.100.100.200",
        "192.0.0.192",
        "0.0.0.0",
        "1.0.0.0",
        "224.0.0.0",
        "240.0.0.0",
        "255.255.255.255",
        "127.0.0.1",
        "10.0.0.0",
    ]);
    let near = (edge, -2_i32..=2).prop_map(|(edge, step)| {
        let edge: Ipv4Addr = edge.parse().unwrap();
        Ipv4Addr::from_bits(edge.to_bits().wrapping_add_signed(step))
    });
    prop_oneof![near, any::<u32>().prop_map(Ipv4Addr::from_bits)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn an_embedding_has_the_verdict_of_the_ipv4_address_inside(inner in ipv4()) {
        let policy = Policy::default().with_denied(vec!["10.0.0.0/8".parse().unwrap()]);
        let plain = policy.judge(IpAddr::V4(inner));
        for outer in embeddings(inner) {
            let judged = policy.judge(IpAddr::V6(outer));
            prop_assert_eq!(judged.map_err(|d| (d.class(), d.rule())), plain.map_err(|d| (d.class(), d.rule())), "{}", outer);
        }
    }

    #[test]
    fn an_ipv4_address_is_denied_exactly_in_the_denied_ranges(inner in ipv4()) {
        let [a, b, ..] = inner.octets();
        let single = ["168.63.129.16", "100.100.100.200", "192.0.0.192"].contains(&inner.to_string().as_str());
        let denied = a == 0 || a >= 224 || (a, b) == (169, 254) || single;
        prop_assert_eq!(Policy::default().judge(inner.into()).is_err(), denied);
    }
}
