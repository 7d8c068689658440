//! Hosts that may be dialed, and names that are left to the resolver.

use super::Group;
use super::Verdict::{Allowed, Resolved};

#[rustfmt::skip]
pub(super) const ROWS: &[Group] = &[
    // Public addresses.
    (Allowed, &[
        "1.1.1.1", "8.8.8.8", "134744072", "0x08080808", "93.184.216.34", "2001:4860:4860::8888",
        "[2606:4700::1111]", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2606:4700::5efe:8.8.8.8",
        // Relays and sidecars have these, so they are denied only on request.
        "127.0.0.1", "127.1", "017700000001", "::1", "[::1]", "10.0.0.1", "172.16.0.1",
        "192.168.0.1", "100.64.0.1", "fc00::1", "fd12:3456:789a::1", "::10.0.0.1",
        "2001:db8::5efe:10.0.0.1",
        // Next to denied ranges.
        "1.0.0.0", // 0.0.0.0/8
        "16777216",
        "169.253.255.255", // 169.254.0.0/16
        "169.255.0.0",
        "169.254", // which is 169.0.0.254
        "168.63.129.15", // Azure's wire server
        "168.63.129.17",
        "100.100.100.199", // Alibaba
        "100.100.100.201",
        "192.0.0.191", // Oracle Classic
        "192.0.0.193",
        "223.255.255.255", // 224.0.0.0/4
        "64:ff9a:ffff:ffff:ffff:ffff:ffff:ffff", // NAT64
        "64:ff9b:2::",
        "2001:1::", // Teredo
        "2003::", // 6to4
        "2001:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fd00:ec1:ffff:ffff:ffff:ffff:ffff:ffff", // AWS
        "fd00:ec3::",
        "fd20:ce::253", // GCP
        "fd20:ce::255",
        "fd00:42::43", // Scaleway
        "fd00:c1::a9fe:a9ff", // Oracle
        "fe7f:ffff:ffff:ffff:ffff:ffff:ffff:ffff", // link-local
        "2606:4700::5eff:169.254.169.254", // no ISATAP identifier
        "2606:4700::1:5efe:169.254.169.254",
    ]),
    // Names. Their addresses are checked later.
    (Resolved, &[
        "localhost", "relay.example", "relay.example.", "Relay.Example", "xn--bcher-kva.example",
        "_syslog._tcp.example", "1.example", "169.254.169.254.example", "0xa9fea9fe.example",
        "1_000",
        "face", // digits of a number, but no number
        "0xface.g",
        "0b1", // no resolver reads binary
        "1e3", "metadata.example", "my-metadata", "metadata.google.internal.example",
    ]),
];
