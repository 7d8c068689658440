//! Hosts that are denied, by default or on request.

use cap_egress::DenialClass::{LinkLocal, Loopback, Metadata, Name, NotUnicast, Private, Tunnel};

use super::Row;
use super::Verdict::Denied;

#[rustfmt::skip]
pub(super) const ROWS: &[Row] = &[
    // Every metadata service of the table.
    ("169.254.169.254", Denied(Metadata)), // AWS, GCP, Azure and others
    ("169.254.169.252", Denied(Metadata)), // GKE
    ("169.254.170.2", Denied(Metadata)), // ECS
    ("169.254.170.23", Denied(Metadata)), // EKS
    ("169.254.42.42", Denied(Metadata)), // Scaleway
    ("169.254.0.23", Denied(Metadata)), // Tencent
    ("168.63.129.16", Denied(Metadata)), // Azure's wire server, at a public address
    ("100.100.100.200", Denied(Metadata)), // Alibaba, in shared address space
    ("192.0.0.192", Denied(Metadata)), // Oracle Classic
    ("fd00:ec2::254", Denied(Metadata)), // AWS
    ("fd00:ec2::23", Denied(Metadata)), // EKS, in the same prefix
    ("fd00:ec2:ffff:ffff:ffff:ffff:ffff:ffff", Denied(Metadata)), // the last of it
    ("fd20:ce::254", Denied(Metadata)), // GCP
    ("fd00:42::42", Denied(Metadata)), // Scaleway
    ("fd00:c1::a9fe:a9fe", Denied(Metadata)), // Oracle

    // One number.
    ("2852039166", Denied(Metadata)),
    ("2852039166.", Denied(Metadata)),
    ("0xa9fea9fe", Denied(Metadata)),
    ("0XA9FEA9FE", Denied(Metadata)),
    ("0x00000000a9fea9fe", Denied(Metadata)),
    ("025177524776", Denied(Metadata)),
    ("00000000025177524776", Denied(Metadata)),
    ("2822734096", Denied(Metadata)), // 168.63.129.16
    ("1684301000", Denied(Metadata)), // 100.100.100.200
    // Two, three and four numbers, in mixed bases.
    ("169.16689662", Denied(Metadata)),
    ("0xa9.0xfea9fe", Denied(Metadata)),
    ("0251.077524776", Denied(Metadata)),
    ("100.6579400", Denied(Metadata)),
    ("169.254.43518", Denied(Metadata)),
    ("169.254.0xa9fe", Denied(Metadata)),
    ("169.254.0124776", Denied(Metadata)),
    ("0251.0376.0251.0376", Denied(Metadata)),
    ("0xa9.0xfe.0xa9.0xfe", Denied(Metadata)),
    ("0xA9.254.0251.0xfe", Denied(Metadata)),
    ("00000251.254.169.254", Denied(Metadata)),
    ("169.254.169.0376", Denied(Metadata)),
    ("169.254.169.0xFE", Denied(Metadata)),
    // The root's dot.
    ("169.254.169.254.", Denied(Metadata)),
    ("0xa9.0xfe.0xa9.0xfe.", Denied(Metadata)),

    // Inside IPv6: mapped.
    ("::ffff:169.254.169.254", Denied(Metadata)),
    ("[::ffff:169.254.169.254]", Denied(Metadata)),
    ("::ffff:a9fe:a9fe", Denied(Metadata)),
    ("[::FFFF:A9FE:A9FE]", Denied(Metadata)),
    ("0:0:0:0:0:ffff:169.254.169.254", Denied(Metadata)),
    ("0000:0000:0000:0000:0000:ffff:a9fe:a9fe", Denied(Metadata)),
    ("::ffff:192.0.0.192", Denied(Metadata)),
    // Compatible.
    ("::169.254.169.254", Denied(Metadata)),
    ("::a9fe:a9fe", Denied(Metadata)),
    ("0:0:0:0:0:0:a9fe:a9fe", Denied(Metadata)),
    // Translated (SIIT).
    ("::ffff:0:169.254.169.254", Denied(Metadata)),
    ("::ffff:0:a9fe:a9fe", Denied(Metadata)),
    // The well-known NAT64 prefix.
    ("64:ff9b::169.254.169.254", Denied(Metadata)),
    ("64:ff9b::a9fe:a9fe", Denied(Metadata)),
    ("[64:FF9B:0:0:0:0:A9FE:A9FE]", Denied(Metadata)),
    ("64:ff9b::100.100.100.200", Denied(Metadata)),
    // ISATAP, below any prefix, of a local or a universal identifier.
    ("2001:db8::5efe:169.254.169.254", Denied(Metadata)),
    ("2001:db8::200:5efe:169.254.169.254", Denied(Metadata)),
    ("2a00::5efe:a83f:8110", Denied(Metadata)),

    // Link-local: hosts on the same link, and services that a cloud puts there.
    ("169.254.0.0", Denied(LinkLocal)),
    ("169.254.0.1", Denied(LinkLocal)),
    ("169.254.169.253", Denied(LinkLocal)), // AWS's DNS
    ("169.254.169.255", Denied(LinkLocal)),
    ("169.254.255.255", Denied(LinkLocal)),
    ("0xa9fe0001", Denied(LinkLocal)),
    ("169.16646145", Denied(LinkLocal)),
    ("::ffff:169.254.1.1", Denied(LinkLocal)),
    ("64:ff9b::169.254.1.1", Denied(LinkLocal)),
    ("fe80::", Denied(LinkLocal)),
    ("fe80::1", Denied(LinkLocal)),
    ("[fe80::1]", Denied(LinkLocal)),
    ("FE80:0:0:0:0:0:0:1", Denied(LinkLocal)),
    ("febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Denied(LinkLocal)),
    ("fe80::5efe:10.0.0.1", Denied(LinkLocal)), // as written, whatever is inside
    ("fec0::1", Denied(LinkLocal)), // site-local, deprecated, and still routed by some
    ("feff:ffff::1", Denied(LinkLocal)),

    // Not unicast. Linux reads 0.0.0.0 and :: as itself.
    ("0.0.0.0", Denied(NotUnicast)),
    ("0", Denied(NotUnicast)),
    ("0.", Denied(NotUnicast)),
    ("00", Denied(NotUnicast)),
    ("0x0", Denied(NotUnicast)),
    ("0.0", Denied(NotUnicast)),
    ("1", Denied(NotUnicast)), // 0.0.0.1
    ("0.1.2.3", Denied(NotUnicast)),
    ("0.255.255.255", Denied(NotUnicast)),
    ("::", Denied(NotUnicast)),
    ("[::]", Denied(NotUnicast)),
    ("0:0:0:0:0:0:0:0", Denied(NotUnicast)),
    ("::2", Denied(NotUnicast)), // 0.0.0.2, compatible
    ("::ffff:0.0.0.0", Denied(NotUnicast)),
    ("64:ff9b::", Denied(NotUnicast)),
    ("224.0.0.0", Denied(NotUnicast)),
    ("224.0.0.1", Denied(NotUnicast)),
    ("239.255.255.255", Denied(NotUnicast)),
    ("240.0.0.0", Denied(NotUnicast)),
    ("255.255.255.254", Denied(NotUnicast)),
    ("255.255.255.255", Denied(NotUnicast)),
    ("4294967295", Denied(NotUnicast)),
    ("0xffffffff", Denied(NotUnicast)),
    ("037777777777", Denied(NotUnicast)),
    ("::ffff:255.255.255.255", Denied(NotUnicast)),
    ("::224.0.0.1", Denied(NotUnicast)),
    ("ff00::", Denied(NotUnicast)),
    ("ff02::1", Denied(NotUnicast)),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Denied(NotUnicast)),

    // Tunnels, which hide their destination, whatever address they seem to contain.
    ("64:ff9b:1::", Denied(Tunnel)),
    ("64:ff9b:1::8.8.8.8", Denied(Tunnel)),
    ("64:ff9b:1::a9fe:a9fe", Denied(Tunnel)),
    ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", Denied(Tunnel)),
    ("2002::", Denied(Tunnel)),
    ("2002:a9fe:a9fe::", Denied(Tunnel)),
    ("2002:808:808::1", Denied(Tunnel)),
    ("2002:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Denied(Tunnel)),
    ("2002:a00:1::5efe:10.0.0.1", Denied(Tunnel)), // ISATAP inside makes it no clearer
    ("2001::", Denied(Tunnel)),
    ("2001::1", Denied(Tunnel)),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", Denied(Tunnel)),

    // Names of metadata services, in any case, with or without the root's dot.
    ("metadata", Denied(Name)),
    ("metadata.", Denied(Name)),
    ("METADATA", Denied(Name)),
    ("metadata.google.internal", Denied(Name)),
    ("Metadata.Google.Internal.", Denied(Name)),
    ("metadata.goog", Denied(Name)),
    ("instance-data", Denied(Name)),
    ("metadata.tencentyun.com", Denied(Name)),
];

#[rustfmt::skip]
pub(super) const ON_REQUEST: &[Row] = &[
    ("127.0.0.0", Denied(Loopback)),
    ("127.0.0.1", Denied(Loopback)),
    ("127.1", Denied(Loopback)),
    ("0x7f.1", Denied(Loopback)),
    ("2130706433", Denied(Loopback)),
    ("127.255.255.255", Denied(Loopback)),
    ("::1", Denied(Loopback)),
    ("[0:0:0:0:0:0:0:1]", Denied(Loopback)),
    ("::ffff:127.0.0.1", Denied(Loopback)),
    ("::127.0.0.1", Denied(Loopback)),
    ("64:ff9b::7f00:1", Denied(Loopback)),
    ("2606:4700::5efe:127.0.0.1", Denied(Loopback)),
    ("10.0.0.0", Denied(Private)),
    ("10.255.255.255", Denied(Private)),
    ("012.1", Denied(Private)), // octal
    ("172.16.0.0", Denied(Private)),
    ("172.31.255.255", Denied(Private)),
    ("192.168.0.0", Denied(Private)),
    ("192.168.255.255", Denied(Private)),
    ("3232235777", Denied(Private)),
    ("100.64.0.0", Denied(Private)), // shared address space
    ("100.127.255.255", Denied(Private)),
    ("100.100.100.199", Denied(Private)),
    ("::ffff:10.0.0.1", Denied(Private)),
    ("64:ff9b::192.168.1.1", Denied(Private)),
    ("2606:4700::200:5efe:172.16.1.1", Denied(Private)),
    ("fc00::", Denied(Private)), // unique local
    ("fd00::1", Denied(Private)),
    ("fd12:3456:789a::1", Denied(Private)),
    ("fd20:ce::253", Denied(Private)),
    ("fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", Denied(Private)),
];
