//! Properties of every policy, whatever its settings.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cap_egress::{DenialClass, Nat64Prefix, Policy};
use ipnet::{IpNet, Ipv4Net, Ipv6Net};
use libfuzzer_sys::arbitrary::{self, Arbitrary};

#[derive(Arbitrary)]
pub struct Case {
    v4: u32,
    v6: u128,
    /// The reserved octet, and the bits after the IPv4 address.
    rest: u128,
    loopback: bool,
    private: bool,
    nat64: Vec<(u128, u8)>,
    denied: Vec<Range>,
    exempt: Vec<Range>,
}

#[derive(Arbitrary)]
enum Range {
    V4(u32, u8),
    V6(u128, u8),
}

impl Range {
    fn net(&self) -> IpNet {
        match *self {
            Self::V4(bits, length) => {
                Ipv4Net::new(bits.into(), length % 33).expect("0 to 32").into()
            }
            Self::V6(bits, length) => {
                Ipv6Net::new(bits.into(), length % 129).expect("0 to 128").into()
            }
        }
    }
}

/// The class of a denial; its texts hold nothing that breaks a line.
pub fn class(policy: &Policy, address: IpAddr) -> Option<DenialClass> {
    let denial = policy.check(address).err()?;
    let said = denial.to_string();
    assert!(said.contains(denial.rule()) && !said.contains('\n'), "{said:?}");
    Some(denial.class())
}

/// The forms that are decoded without a setting.
pub fn embeddings(inner: Ipv4Addr) -> impl Iterator<Item = Ipv6Addr> {
    const PREFIXES: [u128; 6] = [
        0,
        0xffff << 32,
        0xffff << 48,
        0x0064_ff9b << 96,
        (0x2606_4700 << 96) | (0x5efe << 32),
        (0x2606_4700 << 96) | (0x0200_5efe << 32),
    ];
    let low = u128::from(inner.to_bits());
    let all = PREFIXES.map(|prefix| Ipv6Addr::from_bits(prefix | low));
    // `::` and `::1` are no embeddings.
    all.into_iter().filter(|address| !address.is_unspecified() && !address.is_loopback())
}

impl Case {
    pub fn check(&self) {
        let nets = |ranges: &[Range]| ranges.iter().map(Range::net).collect::<Vec<_>>();
        let (denied, exempt) = (nets(&self.denied), nets(&self.exempt));
        let prefixes: Vec<_> =
            self.nat64.iter().filter_map(|(bits, kind)| prefix(*bits, *kind)).collect();

        let mut policy = Policy::default().with_denied(denied.clone()).with_exempt(exempt.clone());
        if self.loopback {
            policy = policy.with_loopback_denied();
        }
        if self.private {
            policy = policy.with_private_denied();
        }
        let v4 = Ipv4Addr::from(self.v4);
        let v6 = Ipv6Addr::from(self.v6);

        self.embeddings_open_nothing(&policy, v4);
        for (prefix, bits, length) in &prefixes {
            self.a_translator_opens_nothing(&policy, v4, *prefix, *bits, *length);
        }
        let all = prefixes.iter().map(|(prefix, ..)| *prefix).collect();
        let policy = policy.with_nat64(all);
        self.embeddings_open_nothing(&policy, v4);
        for address in [IpAddr::V4(v4), IpAddr::V6(v6)] {
            settings_do_what_they_say(&policy, address, &denied, &exempt);
        }
    }

    fn embeddings_open_nothing(&self, policy: &Policy, inner: Ipv4Addr) {
        if class(policy, inner.into()).is_some() {
            for outer in embeddings(inner) {
                // An operator's translator takes precedence over what only looks like ISATAP.
                let isatap = outer.segments()[5] == 0x5efe;
                let opened = class(policy, outer.into()).is_none();
                assert!(
                    !opened || (isatap && !self.nat64.is_empty()),
                    "{inner} as {outer}: {policy:?}"
                );
            }
        }
    }

    fn a_translator_opens_nothing(
        &self,
        policy: &Policy,
        inner: Ipv4Addr,
        prefix: Nat64Prefix,
        bits: u128,
        length: u8,
    ) {
        let policy = policy.clone().with_nat64(vec![prefix]);
        let plain = class(&policy, inner.into());
        // The layout of RFC 6052, octet by octet.
        let mut octets = bits.to_be_bytes();
        let places: [usize; 4] = match length {
            32 => [4, 5, 6, 7],
            40 => [5, 6, 7, 9],
            48 => [6, 7, 9, 10],
            56 => [7, 9, 10, 11],
            64 => [9, 10, 11, 12],
            _ => [12, 13, 14, 15],
        };
        let filler = self.rest.to_be_bytes();
        let start = usize::from(length / 8);
        octets[start..].copy_from_slice(&filler[start..]);
        if length == 96 {
            octets[8] = bits.to_be_bytes()[8];
        }
        for (place, octet) in places.into_iter().zip(inner.octets()) {
            octets[place] = octet;
        }
        let outer = Ipv6Addr::from(octets);
        if plain.is_some() {
            assert!(class(&policy, outer.into()).is_some(), "{inner} as {outer}: {policy:?}");
        }
    }
}

/// A prefix from its bits, outside of `::/8`, which holds the fixed forms.
fn prefix(bits: u128, kind: u8) -> Option<(Nat64Prefix, u128, u8)> {
    let length = [32, 40, 48, 56, 64, 96][usize::from(kind) % 6];
    let net = Ipv6Net::new(bits.into(), length).ok()?.trunc();
    let bits = net.network().to_bits();
    let reserved_is_zero = net.network().octets()[8] == 0;
    let parsed = net.to_string().parse::<Nat64Prefix>();
    assert_eq!(parsed.is_ok(), reserved_is_zero, "{net}");
    let prefix = parsed.ok()?;
    assert_eq!(prefix.to_string(), net.to_string());
    (bits >> 120 != 0).then_some((prefix, bits, length))
}

fn settings_do_what_they_say(policy: &Policy, address: IpAddr, denied: &[IpNet], exempt: &[IpNet]) {
    let before = class(policy, address);
    let listed = |address: &IpAddr| exempt.iter().any(|range| range.contains(address));
    let exempted = listed(&address) || listed(&address.to_canonical());

    if address.is_ipv4() {
        assert!(before.is_none() || !exempted, "{address} is exempt: {policy:?}");
    }
    let denied_as_written = denied.iter().any(|range| range.contains(&address));
    assert!(exempted || !denied_as_written || before.is_some(), "{address} is denied: {policy:?}");

    let mut more = denied.to_vec();
    more.push(address.into());
    let after = class(&policy.clone().with_denied(more), address);
    assert!(exempted || after.is_some(), "{address} was denied by itself: {policy:?}");
    // A mapped range means the IPv4 range. It may deny more than it says, and never less.
    assert!(before.is_none() || after.is_some(), "{address}: denying more allowed it: {policy:?}");

    let everything = ["0.0.0.0/0", "::/0"].map(|range| range.parse().expect("a range"));
    let open = policy.clone().with_exempt(everything.to_vec());
    assert_eq!(class(&open, address), None, "{address} is exempt: {policy:?}");

    let strict = policy.clone().with_loopback_denied().with_private_denied();
    assert!(before.is_none() || class(&strict, address).is_some(), "{address}: {policy:?}");
}
