//! The spellings of an address.

use std::net::{Ipv4Addr, Ipv6Addr};

/// One to four numbers in each base, with and without the root's dot.
pub(super) fn ipv4(address: Ipv4Addr) -> Vec<String> {
    let bits = address.to_bits();
    let [a, b, c, d] = address.octets().map(u32::from);
    let splits =
        [vec![bits], vec![a, bits & 0xff_ffff], vec![a, b, bits & 0xffff], vec![a, b, c, d]];
    let bases: [fn(u32) -> String; 5] = [
        |n| format!("{n}"),
        |n| format!("{n:#x}"),
        |n| format!("0X{n:08X}"),
        |n| format!("0{n:o}"),
        |n| format!("000{n:o}"),
    ];
    let mut all = Vec::new();
    for split in splits {
        // All numbers in one base, then each in another.
        for shift in 0..bases.len() {
            for step in [0, 1] {
                let spelled = split.iter().enumerate();
                let spelled = spelled.map(|(at, n)| bases[(shift + step * at) % bases.len()](*n));
                let spelled = spelled.collect::<Vec<_>>().join(".");
                all.extend([format!("{spelled}."), spelled]);
            }
        }
    }
    all
}

/// Compressed, in full, with leading zeros, and with the last 32 bits as IPv4. Each in both cases,
/// with and without brackets.
pub(super) fn ipv6(address: Ipv6Addr) -> Vec<String> {
    let segments = address.segments();
    let low = Ipv4Addr::from_bits(address.to_bits() as u32);
    let dotted = |segments: String| format!("{segments}:{low}");
    let spelled = [
        address.to_string(),
        segments.map(|segment| format!("{segment:x}")).join(":"),
        segments.map(|segment| format!("{segment:04x}")).join(":"),
        dotted(segments.map(|segment| format!("{segment:x}"))[..6].join(":")),
        dotted(segments.map(|segment| format!("{segment:04x}"))[..6].join(":")),
    ];
    let cases = spelled.into_iter().flat_map(|text| [text.to_uppercase(), text]);
    cases.flat_map(|text| [format!("[{text}]"), text]).collect()
}
