//! The IPv4 address that an IPv6 address carries, for the forms that a host or a translator in front of it decodes.

use std::net::{Ipv4Addr, Ipv6Addr};

/// The carried address and the form it is written in.
pub(super) fn decode(address: Ipv6Addr) -> Option<(Ipv4Addr, &'static str)> {
    let segments = address.segments();
    let form = match segments {
        // `::` and `::1` are the unspecified address and loopback, not IPv4-compatible addresses (RFC 4291, 2.5.5.1).
        [0, 0, 0, 0, 0, 0, 0, 0 | 1] => return None,
        [0, 0, 0, 0, 0, 0, _, _] => "::/96 (IPv4-compatible)",
        [0, 0, 0, 0, 0, 0xffff, _, _] => "::ffff:0:0/96 (IPv4-mapped)",
        [0, 0, 0, 0, 0xffff, 0, _, _] => "::ffff:0:0:0/96 (IPv4-translated)",
        [0x64, 0xff9b, 0, 0, 0, 0, _, _] => "64:ff9b::/96 (NAT64)",
        // Any prefix may precede an ISATAP interface identifier (RFC 5214, 6.1).
        [_, _, _, _, 0 | 0x200, 0x5efe, _, _] => "an ISATAP interface identifier",
        _ => return None,
    };
    let [.., a, b, c, d] = address.octets();
    Some((Ipv4Addr::new(a, b, c, d), form))
}
