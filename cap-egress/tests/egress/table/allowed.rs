//! Hosts that may be dialed, and names that are left to the resolver.

use super::Row;
use super::Verdict::{Allowed, Resolved};

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Public addresses.
    ("1.1.1.1", Allowed),
    ("8.8.8.8", Allowed),
    ("134744072", Allowed),
    ("0x08080808", Allowed),
    ("93.184.216.34", Allowed),
    ("2001:4860:4860::8888", Allowed),
    ("[2606:4700::1111]", Allowed),
    ("::ffff:8.8.8.8", Allowed),
    ("64:ff9b::8.8.8.8", Allowed),
    ("2606:4700::5efe:8.8.8.8", Allowed),

    // Relays and sidecars have these, so they are denied only on request.
    ("127.0.0.1", Allowed),
    ("127.1", Allowed),
    ("017700000001", Allowed),
    ("::1", Allowed),
    ("[::1]", Allowed),
    ("10.0.0.1", Allowed),
    ("172.16.0.1", Allowed),
    ("192.168.0.1", Allowed),
    ("100.64.0.1", Allowed),
    ("fc00::1", Allowed),
    ("fd12:3456:789a::1", Allowed),
    ("::10.0.0.1", Allowed),
    ("2001:db8::5efe:10.0.0.1", Allowed),

    // Next to denied ranges.
    ("1.0.0.0", Allowed), // 0.0.0.0/8
    ("16777216", Allowed),
    ("169.253.255.255", Allowed), // 169.254.0.0/16
    ("169.255.0.0", Allowed),
    ("169.254", Allowed), // which is 169.0.0.254
    ("168.63.129.15", Allowed), // Azure's wire server
    ("168.63.129.17", Allowed),
    ("100.100.100.199", Allowed), // Alibaba
    ("100.100.100.201", Allowed),
    ("192.0.0.191", Allowed), // Oracle Classic
    ("192.0.0.193", Allowed),
    ("223.255.255.255", Allowed), // 224.0.0.0/4
    ("64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", Allowed), // NAT64
    ("64:ff9b:2::", Allowed),
    ("2001:1::", Allowed), // Teredo
    ("2003::", Allowed), // 6to4
    ("2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Allowed),
    ("fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff", Allowed), // AWS
    ("fd00:ec3::", Allowed),
    ("fd20:ce::253", Allowed), // GCP
    ("fd20:ce::255", Allowed),
    ("fd00:42::43", Allowed), // Scaleway
    ("fd00:c1::a9fe:a9ff", Allowed), // Oracle
    ("fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Allowed), // link-local
    ("2606:4700::5eff:169.254.169.254", Allowed), // no ISATAP identifier
    ("2606:4700::1:5efe:169.254.169.254", Allowed),

    // Names. Their addresses are checked later.
    ("localhost", Resolved),
    ("relay.example", Resolved),
    ("relay.example.", Resolved),
    ("Relay.Example", Resolved),
    ("xn--bcher-kva.example", Resolved),
    ("_syslog._tcp.example", Resolved),
    ("1.example", Resolved),
    ("169.254.169.254.example", Resolved),
    ("0xa9fea9fe.example", Resolved),
    ("1_000", Resolved),
    ("face", Resolved), // digits of a number, but no number
    ("0xface.g", Resolved),
    ("0b1", Resolved), // no resolver reads binary
    ("1e3", Resolved),
    ("metadata.example", Resolved),
    ("my-metadata", Resolved),
    ("metadata.google.internal.example", Resolved),
];
