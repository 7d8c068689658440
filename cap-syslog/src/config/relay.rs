//! Where a relay listens.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU16;
use std::str::FromStr;

use cap_egress::Host;

use crate::error::SettingError;

/// A port, 1 to 65535.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Port(NonZeroU16);

impl Port {
    pub(super) const fn known(number: u16) -> Self {
        Self(NonZeroU16::new(number).expect("a port is not 0"))
    }

    /// The number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl TryFrom<u16> for Port {
    type Error = SettingError;

    fn try_from(number: u16) -> Result<Self, SettingError> {
        let number = NonZeroU16::new(number);
        let number =
            number.ok_or_else(|| SettingError::new("0 is not a port; write 1 to 65535"))?;
        Ok(Self(number))
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The address of a relay: `relay.example:601`, `192.0.2.7:601` or `[2001:db8::7]:601`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Relay {
    /// Its name or IP address.
    pub host: Host,
    /// Its port; [`Transport::default_port`](crate::Transport::default_port) is the usual one.
    pub port: Port,
}

impl Relay {
    /// The relay at this host and port.
    pub fn new(host: Host, port: Port) -> Self {
        Self { host, port }
    }
}

impl TryFrom<SocketAddr> for Relay {
    type Error = SettingError;

    fn try_from(address: SocketAddr) -> Result<Self, SettingError> {
        let port = address.port().try_into()?;
        Ok(Self::new(address.ip().into(), port))
    }
}

impl FromStr for Relay {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        let parts = text.rsplit_once(':').and_then(|(host, port)| {
            // The colons of an IPv6 address are inside of brackets.
            let is_whole = !host.contains(':') || host.ends_with(']');
            let port: u16 = port.parse().ok()?;
            is_whole.then_some((host, port))
        });
        let (host, port) = parts.ok_or_else(|| {
            SettingError::new(format!(
                "{text:?} is not a relay; write HOST:PORT, such as relay.example:6514"
            ))
        })?;
        let host = host
            .parse()
            .map_err(|error: cap_egress::Error| SettingError::new(error.to_string()))?;
        Ok(Self::new(host, port.try_into()?))
    }
}

/// `host:port`, as configured.
impl fmt::Display for Relay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_is_written_as_host_and_port() {
        for text in ["relay.example:601", "192.0.2.7:1", "[2001:db8::7]:65535"] {
            let relay: Relay = text.parse().expect(text);
            assert_eq!(relay.to_string(), text);
        }
        for text in
            ["", "relay.example", "relay.example:", "relay.example:0", ":601", "::1", "::1:601x"]
        {
            assert!(text.parse::<Relay>().is_err(), "{text}");
        }
    }
}
