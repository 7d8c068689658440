//! Hosts that are denied, by default or on request.

use cap_egress::DenialClass::{LinkLocal, Loopback, Metadata, Name, NotUnicast, Private, Tunnel};

use super::Group;
use super::Verdict::Denied;

#[rustfmt::skip]
pub(super) const ROWS: &[Group] = &[
    // Every metadata service of the table.
    (Denied(Metadata), &[
        "169.254.169.254", // AWS, GCP, Azure and others
        "169.254.169.252", // GKE
        "169.254.170.2", // ECS
        "169.254.170.23", // EKS
        "169.254.42.42", // Scaleway
        "169.254.0.23", // Tencent
        "168.63.129.16", // Azure's wire server, at a public address
        "100.100.100.200", // Alibaba, in shared address space
        "192.0.0.192", // Oracle Classic
        "fd00:ec2::254", // AWS
        "fd00:ec2::23", // EKS, in the same prefix
        "fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff", // the last of it
        "fd20:ce::254", // GCP
        "fd00:42::42", // Scaleway
        "fd00:c1::a9fe:a9fe", // Oracle
        // One number.
        "2852039166", "2852039166.", "0xa9fea9fe", "0XA9FEA9FE", "0x00000000a9fea9fe",
        "025177524776", "00000000025177524776",
        "2822734096", // 168.63.129.16
        "1684301000", // 100.100.100.200
        // Two, three and four numbers, in mixed bases.
        "169.16689662", "0xa9.0xfea9fe", "0251.077524776", "100.6579400", "169.254.43518",
        "169.254.0xa9fe", "169.254.0124776", "0251.0376.0251.0376", "0xa9.0xfe.0xa9.0xfe",
        "0xA9.254.0251.0xfe", "00000251.254.169.254", "169.254.169.0376", "169.254.169.0xFE",
        // The root's dot.
        "169.254.169.254.", "0xa9.0xfe.0xa9.0xfe.",
        // Inside IPv6: mapped.
        "::ffff:169.254.169.254", "[::ffff:169.254.169.254]", "::ffff:a9fe:a9fe",
        "[::FFFF:A9FE:A9FE]", "0:0:0:0:0:ffff:169.254.169.254",
        "0000:0000:0000:0000:0000:ffff:a9fe:a9fe", "::ffff:192.0.0.192",
        // Compatible.
        "::169.254.169.254", "::a9fe:a9fe", "0:0:0:0:0:0:a9fe:a9fe",
        // Translated (SIIT).
        "::ffff:0:169.254.169.254", "::ffff:0:a9fe:a9fe",
        // The well-known NAT64 prefix.
        "64:ff9b::169.254.169.254", "64:ff9b::a9fe:a9fe", "[64:FF9B:0:0:0:0:A9FE:A9FE]",
        "64:ff9b::100.100.100.200",
        // ISATAP, below any prefix, of a local or a universal identifier.
        "2001:db8::5efe:169.254.169.254", "2001:db8::200:5efe:169.254.169.254",
        "2a00::5efe:a83f:8110",
    ]),
    // Link-local: hosts on the same link, and services that a cloud puts there.
    (Denied(LinkLocal), &[
        "169.254.0.0", "169.254.0.1",
        "169.254.169.253", // AWS's DNS
        "169.254.169.255", "169.254.255.255", "0xa9fe0001", "169.16646145", "::ffff:169.254.1.1",
        "64:ff9b::169.254.1.1", "fe80::", "fe80::1", "[fe80::1]", "FE80:0:0:0:0:0:0:1",
        "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "fe80::5efe:10.0.0.1", // as written, whatever is inside
        "fec0::1", // site-local, deprecated, and still routed by some
        "feff:ffff::1",
    ]),
    // Not unicast. Linux reads 0.0.0.0 and :: as itself.
    (Denied(NotUnicast), &[
        "0.0.0.0", "0", "0.", "00", "0x0", "0.0",
        "1", // 0.0.0.1
        "0.1.2.3", "0.255.255.255", "::", "[::]", "0:0:0:0:0:0:0:0",
        "::2", // 0.0.0.2, compatible
        "::ffff:0.0.0.0", "64:ff9b::", "224.0.0.0", "224.0.0.1", "239.255.255.255", "240.0.0.0",
        "255.255.255.254", "255.255.255.255", "4294967295", "0xffffffff", "037777777777",
        "::ffff:255.255.255.255", "::224.0.0.1", "ff00::", "ff02::1",
        "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]),
    // Tunnels, which hide their destination, whatever address they seem to contain.
    (Denied(Tunnel), &[
        "64:ff9b:1::", "64:ff9b:1::8.8.8.8", "64:ff9b:1::a9fe:a9fe",
        "64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "2002::", "2002:a9fe:a9fe::", "2002:808:808::1",
        "2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        "2002:a00:1::5efe:10.0.0.1", // ISATAP inside makes it no clearer
        "2001::", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ]),
    // Names of metadata services, in any case, with or without the root's dot.
    (Denied(Name), &[
        "metadata", "metadata.", "METADATA", "metadata.google.internal",
        "Metadata.Google.Internal.", "metadata.goog", "instance-data", "metadata.tencentyun.com",
    ]),
];

#[rustfmt::skip]
pub(super) const ON_REQUEST: &[Group] = &[
    (Denied(Loopback), &[
        "127.0.0.0", "127.0.0.1", "127.1", "0x7f.1", "2130706433", "127.255.255.255", "::1",
        "[0:0:0:0:0:0:0:1]", "::ffff:127.0.0.1", "::127.0.0.1", "64:ff9b::7f00:1",
        "2606:4700::5efe:127.0.0.1",
    ]),
    (Denied(Private), &[
        "10.0.0.0", "10.255.255.255",
        "012.1", // octal
        "172.16.0.0", "172.31.255.255", "192.168.0.0", "192.168.255.255", "3232235777",
        "100.64.0.0", // shared address space
        "100.127.255.255", "100.100.100.199", "::ffff:10.0.0.1", "64:ff9b::192.168.1.1",
        "2606:4700::200:5efe:172.16.1.1",
        "fc00::", // unique local
        "fd00::1", "fd12:3456:789a::1", "fd20:ce::253", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    ]),
];
