//! The IPv4 address inside an IPv6 address, in the forms that a host or a translator decodes.

use std::net::{Ipv4Addr, Ipv6Addr};

use ipnet::{IpNet, Ipv4Net};

use super::Nat64Prefix;

/// The embedded address and the name of the form. `translators` has the longest prefix first.
pub(super) fn decode(
    address: Ipv6Addr,
    translators: &[Nat64Prefix],
) -> Option<(Ipv4Addr, &'static str)> {
    let segments = address.segments();
    let [.., a, b, c, d] = address.octets();
    let last = Ipv4Addr::new(a, b, c, d);
    // These first: no prefix of a translator is longer.
    let form = match segments {
        // `::` and `::1` are not IPv4-compatible addresses (RFC 4291, 2.5.5.1).
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0, _, _] => "::/96 (IPv4-compatible)",
        [0, 0, 0, 0, 0, 0xffff, _, _] => "::ffff:0:0/96 (IPv4-mapped)",
        [0, 0, 0, 0, 0xffff, 0, _, _] => "::ffff:0:0:0/96 (IPv4-translated)",
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => "64:ff9b::/96 (NAT64)",
        _ => {
            if let Some(prefix) = translators.iter().find(|prefix| prefix.contains(address)) {
                return Some((prefix.decode(address), "a prefix of `egress.nat64_prefixes`"));
            }
            match segments {
                // Any prefix may precede an ISATAP interface identifier (RFC 5214, 6.1).
                [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => "an ISATAP interface identifier",
                _ => return None,
            }
        }
    };
    Some((last, form))
}

/// The IPv4 range, if `range` consists of IPv4-mapped addresses, which reach the same destinations.
pub(super) fn unmapped(range: IpNet) -> IpNet {
    let IpNet::V6(mapped) = range else {
        return range;
    };
    let length = mapped.prefix_len().checked_sub(96);
    (mapped.network().to_ipv4_mapped())
        .zip(length)
        .and_then(|(inner, length)| Ipv4Net::new(inner, length).ok())
        .map_or(range, IpNet::V4)
}
