//! A host as an operator writes it, parsed once into an address or a DNS name.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;

use crate::Error;
use crate::error::Kind as ErrorKind;

mod ipv4;

/// An IP address in any spelling the system's resolver would accept, or a DNS name.
///
/// `2852039166`, `0xa9fea9fe`, `0251.0376.0251.0376` and `169.254.43518` all become the address
/// 169.254.169.254, so that no later step depends on how a resolver reads them.
///
/// A name is converted to lower case and loses a trailing dot. A name has at most 253 characters,
/// and each label has 1 to 63 letters, digits, hyphens and underscores (RFC 1035, 2.3.4). Write a
/// name with other letters in its ASCII form (`xn--…`, RFC 5891).
///
/// `Display` writes the form that precedes `:port`, with brackets around IPv6. That form parses
/// back to the same host.
///
/// ```
/// use cap_egress::Host;
///
/// assert_eq!("0x7f.1".parse::<Host>()?.as_ip(), Some([127, 0, 0, 1].into()));
/// assert_eq!("[2001:DB8::1]".parse::<Host>()?.to_string(), "[2001:db8::1]");
/// assert_eq!("Relay.Example.".parse::<Host>()?.to_string(), "relay.example");
/// assert!("relay.example:514".parse::<Host>().is_err());
/// # Ok::<(), cap_egress::Error>(())
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Host(Kind);

#[derive(Clone, Debug, Eq, Hash, PartialEq)]
enum Kind {
    Ip(IpAddr),
    Name(Box<str>),
}

impl Host {
    /// The address, if the host is an address.
    pub fn as_ip(&self) -> Option<IpAddr> {
        match self.0 {
            Kind::Ip(address) => Some(address),
            Kind::Name(_) => None,
        }
    }

    pub(crate) fn as_name(&self) -> Option<&str> {
        match &self.0 {
            Kind::Ip(_) => None,
            Kind::Name(name) => Some(name),
        }
    }
}

impl From<IpAddr> for Host {
    fn from(address: IpAddr) -> Self {
        Self(Kind::Ip(address))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Ip(IpAddr::V4(address)) => write!(f, "{address}"),
            Kind::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Kind::Name(name) => f.write_str(name),
        }
    }
}

impl FromStr for Host {
    type Err = Error;

    fn from_str(written: &str) -> Result<Self, Error> {
        parse(written).map(Self).map_err(|problem| {
            let written = written.to_owned();
            ErrorKind::Host { written, problem }.into()
        })
    }
}

fn parse(written: &str) -> Result<Kind, &'static str> {
    if let Some(problem) = written.chars().find_map(foreign) {
        return Err(problem);
    }
    if let Some(rest) = written.strip_prefix('[') {
        let Some((inside, after)) = rest.split_once(']') else {
            return Err("the closing `]` is missing");
        };
        if !after.is_empty() {
            return Err("something follows the `]`; a port has its own setting");
        }
        return ipv6(inside).ok_or("brackets go around an IPv6 address only");
    }
    if written.contains(':') {
        return ipv6(written)
            .ok_or("`:` belongs only in an IPv6 address; a port has its own setting");
    }
    let name = written.strip_suffix('.').unwrap_or(written);
    let name = name.to_ascii_lowercase();
    check_labels(&name)?;
    // If the last label is a number, one resolver reads an address and another a name (WHATWG URL,
    // "ends in a number"). Therefore the host is an address or refused.
    if ipv4::ends_in_number(&name) {
        return match ipv4::parse(&name) {
            Some(address) => Ok(Kind::Ip(address.into())),
            None => Err("it ends in a number but is not an IPv4 address"),
        };
    }
    Ok(Kind::Name(name.into()))
}

fn ipv6(text: &str) -> Option<Kind> {
    text.parse::<Ipv6Addr>().ok().map(|address| Kind::Ip(address.into()))
}

/// The problem with a character that no host has, worded for what the operator most likely meant.
fn foreign(character: char) -> Option<&'static str> {
    Some(match character {
        '%' => "zone identifiers and percent escapes (`%`) are not accepted",
        '@' => "user names and passwords (`@`) do not belong in a host",
        '/' | '\\' | '?' | '#' => "give the host alone, without a scheme or a path",
        c if c.is_whitespace() => "white space is not accepted",
        c if c.is_control() => "control characters are not accepted",
        c if !c.is_ascii() && c.is_numeric() => "digits are written in ASCII, as 0 to 9",
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' => "full stops are written in ASCII, as `.`",
        c if !c.is_ascii() => "only ASCII is accepted; give an international name as `xn--…`",
        _ => return None,
    })
}

fn check_labels(name: &str) -> Result<(), &'static str> {
    if name.is_empty() {
        return Err("it is empty");
    }
    if name.len() > 253 {
        return Err("a name has at most 253 characters");
    }
    for label in name.split('.') {
        if label.is_empty() {
            return Err("a label between two dots is empty");
        }
        if label.len() > 63 {
            return Err("a label between two dots has at most 63 characters");
        }
        if !label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_') {
            return Err("a name has only letters, digits, `-`, `_` and `.`");
        }
    }
    Ok(())
}
