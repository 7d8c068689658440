//! The prefix of a site's own NAT64, and the position of the IPv4 address behind it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use ipnet::Ipv6Net;

use crate::Error;
use crate::error::Kind;

/// A prefix that a NAT64 translates to IPv4 (RFC 6052, 2.2): 32, 40, 48, 56, 64 or 96 bits long.
///
/// ```
/// use cap_egress::{DenialClass, Nat64Prefix, Policy};
///
/// let prefix: Nat64Prefix = "2001:db8:64::/48".parse()?;
/// let policy = Policy::default().with_nat64(vec![prefix]);
///
/// // 169.254.169.254, split around the octet that RFC 6052 reserves.
/// let denial = policy.check("2001:db8:64:a9fe:a9:fe00::".parse()?).unwrap_err();
/// assert_eq!(denial.class(), DenialClass::Metadata);
/// assert!("2001:db8:64::/44".parse::<Nat64Prefix>().is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Nat64Prefix(Ipv6Net);

/// The octet (bits 64 to 71) that belongs neither to the prefix nor to the IPv4 address.
const RESERVED: usize = 8;

impl Nat64Prefix {
    pub(super) fn length(self) -> u8 {
        self.0.prefix_len()
    }

    pub(super) fn contains(self, address: Ipv6Addr) -> bool {
        self.0.contains(&address)
    }

    /// The four octets after the prefix, without the reserved one.
    ///
    /// The reserved octet and the octets after the address are ignored, because a translator may
    /// accept values other than zero there.
    pub(super) fn decode(self, address: Ipv6Addr) -> Ipv4Addr {
        let octets = address.octets();
        let start = usize::from(self.length() / 8);
        let inner: [u8; 4] = std::array::from_fn(|n| {
            let at = start + n;
            octets[at + usize::from(start <= RESERVED && at >= RESERVED)]
        });
        inner.into()
    }
}

impl fmt::Display for Nat64Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for Nat64Prefix {
    type Err = Error;

    fn from_str(written: &str) -> Result<Self, Error> {
        parse(written).map(Self).map_err(|problem| {
            let written = written.to_owned();
            Kind::Nat64Prefix { written, problem }.into()
        })
    }
}

fn parse(written: &str) -> Result<Ipv6Net, &'static str> {
    let Ok(prefix) = written.parse::<Ipv6Net>() else {
        return Err("write an IPv6 prefix such as 2001:db8:64::/96");
    };
    if !matches!(prefix.prefix_len(), 32 | 40 | 48 | 56 | 64 | 96) {
        return Err("its length is one of 32, 40, 48, 56, 64 and 96 (RFC 6052, 2.2)");
    }
    if prefix != prefix.trunc() {
        return Err("bits are set after its length; end it with `::`, or correct the length");
    }
    if prefix.network().octets()[RESERVED] != 0 {
        return Err("bits 64 to 71 are zero in every prefix of a translator (RFC 6052, 2.2)");
    }
    Ok(prefix)
}
