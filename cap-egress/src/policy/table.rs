//! The table of denied ranges and names, most specific rule first.
//!
//! The classes loopback and private apply only if the policy asks for them.

use ipnet::IpNet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use cap_names::DenialClass::{self, LinkLocal, Loopback, Metadata, NotUnicast, Private, Tunnel};

/// One denied range.
pub(super) struct Rule {
    pub(super) range: IpNet,
    pub(super) class: DenialClass,
    pub(super) text: &'static str,
}

const fn v4(octets: [u8; 4], length: u8, class: DenialClass, text: &'static str) -> Rule {
    let [a, b, c, d] = octets;
    let range = IpNet::new_assert(IpAddr::V4(Ipv4Addr::new(a, b, c, d)), length);
    Rule { range, class, text }
}

const fn v6(segments: [u16; 8], length: u8, class: DenialClass, text: &'static str) -> Rule {
    let [a, b, c, d, e, f, g, h] = segments;
    let range = IpNet::new_assert(IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h)), length);
    Rule { range, class, text }
}

#[rustfmt::skip]
pub(super) static V4: &[Rule] = &[
    v4([169, 254, 169, 254], 32, Metadata, "169.254.169.254/32 (AWS, GCP, Azure, DigitalOcean, OpenStack and Oracle metadata)"),
    v4([169, 254, 169, 252], 32, Metadata, "169.254.169.252/32 (GKE metadata)"),
    v4([169, 254, 170, 2], 32, Metadata, "169.254.170.2/32 (ECS task credentials)"),
    v4([169, 254, 170, 23], 32, Metadata, "169.254.170.23/32 (EKS pod credentials)"),
    v4([169, 254, 42, 42], 32, Metadata, "169.254.42.42/32 (Scaleway metadata)"),
    v4([169, 254, 0, 23], 32, Metadata, "169.254.0.23/32 (Tencent metadata)"),
    v4([168, 63, 129, 16], 32, Metadata, "168.63.129.16/32 (Azure wire server)"),
    v4([100, 100, 100, 200], 32, Metadata, "100.100.100.200/32 (Alibaba metadata)"),
    v4([192, 0, 0, 192], 32, Metadata, "192.0.0.192/32 (Oracle Classic metadata)"),
    v4([169, 254, 0, 0], 16, LinkLocal, "169.254.0.0/16 (link-local)"),
    v4([0, 0, 0, 0], 8, NotUnicast, "0.0.0.0/8 (this host)"),
    v4([224, 0, 0, 0], 4, NotUnicast, "224.0.0.0/4 (multicast)"),
    v4([240, 0, 0, 0], 4, NotUnicast, "240.0.0.0/4 (reserved and broadcast)"),
    v4([127, 0, 0, 0], 8, Loopback, "127.0.0.0/8 (loopback)"),
    v4([10, 0, 0, 0], 8, Private, "10.0.0.0/8 (private)"),
    v4([172, 16, 0, 0], 12, Private, "172.16.0.0/12 (private)"),
    v4([192, 168, 0, 0], 16, Private, "192.168.0.0/16 (private)"),
    v4([100, 64, 0, 0], 10, Private, "100.64.0.0/10 (shared address space)"),
];

#[rustfmt::skip]
pub(super) static V6: &[Rule] = &[
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0], 32, Metadata, "fd00:ec2::/32 (AWS metadata)"),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, Metadata, "fd20:ce::254/128 (GCP metadata)"),
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42], 128, Metadata, "fd00:42::42/128 (Scaleway metadata)"),
    v6([0xfd00, 0xc1, 0, 0, 0, 0, 0xa9fe, 0xa9fe], 128, Metadata, "fd00:c1::a9fe:a9fe/128 (Oracle metadata)"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, LinkLocal, "fe80::/10 (link-local)"),
    v6([0xfec0, 0, 0, 0, 0, 0, 0, 0], 10, LinkLocal, "fec0::/10 (site-local, deprecated)"),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, NotUnicast, "::/128 (unspecified)"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, NotUnicast, "ff00::/8 (multicast)"),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, Tunnel, "64:ff9b:1::/48 (local-use NAT64)"),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, Tunnel, "2002::/16 (6to4)"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, Tunnel, "2001::/32 (Teredo)"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, Loopback, "::1/128 (loopback)"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, Private, "fc00::/7 (unique local)"),
];

/// Names in lower case and without a trailing dot, each with its rule.
#[rustfmt::skip]
pub(super) static NAMES: &[(&str, &str)] = &[
    ("metadata", "metadata (the short name of cloud metadata services)"),
    ("metadata.google.internal", "metadata.google.internal (GCP metadata)"),
    ("metadata.goog", "metadata.goog (GCP metadata)"),
    ("instance-data", "instance-data (AWS metadata)"),
    ("metadata.tencentyun.com", "metadata.tencentyun.com (Tencent metadata)"),
];

pub(super) const CONFIGURED: &str = "a range listed in `egress.deny`";
