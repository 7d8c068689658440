//! IPv4 in every spelling that `inet_aton` takes: one to four parts, each decimal, octal (`0…`) or
//! hexadecimal (`0x…`).

use std::net::Ipv4Addr;

/// The address, if `text` (lower case, without a trailing dot) is one.
///
/// The last part fills the remaining bytes.
pub(super) fn parse(text: &str) -> Option<Ipv4Addr> {
    let mut parts = text.split('.');
    let last = number(parts.next_back()?)?;
    let mut address = 0;
    let mut bytes_left = 4;
    for part in parts {
        bytes_left -= 1;
        if bytes_left == 0 {
            return None;
        }
        let byte = u8::try_from(number(part)?).ok()?;
        address |= u32::from(byte) << (8 * bytes_left);
    }
    let fits = bytes_left == 4 || last < 1 << (8 * bytes_left);
    fits.then(|| Ipv4Addr::from_bits(address | last))
}

/// Whether a resolver may read the last label as a number.
pub(super) fn ends_in_number(name: &str) -> bool {
    let last = name.rsplit('.').next().unwrap_or(name);
    match last.strip_prefix("0x") {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_hexdigit()),
        None => last.bytes().all(|b| b.is_ascii_digit()),
    }
}

fn number(part: &str) -> Option<u32> {
    let (digits, radix) = match part.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None if part.starts_with('0') => (part, 8),
        None => (part, 10),
    };
    // `from_str_radix` would accept a sign.
    if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits, radix).ok()
}
