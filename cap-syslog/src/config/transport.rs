//! The transports, and the settings of TLS.

use std::fmt;
use std::str::FromStr;

use cap_egress::{ClientIdentity, Trust};

use super::{Port, RecordSize};
use crate::error::{Error, Kind, SettingError};
use crate::frame::Framing;

/// The transport of the records, with their framing on a stream. It is written as `udp`, `tcp` or
/// `tcp+tls`.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Transport {
    /// One record in each datagram (RFC 5426). Nothing says whether it arrived.
    Udp,
    /// Records on a TCP connection (RFC 6587).
    Tcp(Framing),
    /// Records on a TLS session (RFC 5425).
    Tls(Framing, Tls),
}

impl Transport {
    /// `udp`, `tcp` or `tcp+tls`.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp(_) => "tcp",
            Self::Tls(..) => "tcp+tls",
        }
    }

    /// The port on which relays usually listen: 514, 601 or 6514.
    pub fn default_port(&self) -> Port {
        match self {
            Self::Udp => Port::known(514),
            Self::Tcp(_) => Port::known(601),
            Self::Tls(..) => Port::known(6514),
        }
    }

    /// The default of [`Config::max_message_size`](crate::Config::max_message_size): 2048 bytes in
    /// a datagram, which every relay should accept (RFC 5426, section 3.2), else 8192.
    pub fn default_message_size(&self) -> RecordSize {
        match self {
            Self::Udp => RecordSize::MIN,
            Self::Tcp(_) | Self::Tls(..) => RecordSize::STREAM,
        }
    }

    /// The most bytes that a record can have: 65,507 in a datagram over IPv4, else 16 MiB.
    pub fn max_message_size(&self) -> RecordSize {
        match self {
            Self::Udp => RecordSize::MAX_DATAGRAM,
            Self::Tcp(_) | Self::Tls(..) => RecordSize::MAX,
        }
    }

    /// The size of a record in bytes, if this transport can carry such records.
    ///
    /// # Errors
    ///
    /// When it is less than 2048 bytes or more than [`max_message_size`](Self::max_message_size).
    pub fn message_size(&self, bytes: usize) -> Result<RecordSize, SettingError> {
        RecordSize::at_most(bytes, self.max_message_size())
    }

    /// The framing; `None` over UDP.
    pub fn framing(&self) -> Option<Framing> {
        match self {
            Self::Udp => None,
            Self::Tcp(framing) | Self::Tls(framing, _) => Some(*framing),
        }
    }
}

/// TCP with octet counting.
impl Default for Transport {
    fn default() -> Self {
        Self::Tcp(Framing::default())
    }
}

/// A transport with octet counting and the system's trust store.
impl FromStr for Transport {
    type Err = SettingError;

    fn from_str(s: &str) -> Result<Self, SettingError> {
        match s {
            "udp" => Ok(Self::Udp),
            "tcp" => Ok(Self::default()),
            "tcp+tls" => Ok(Self::Tls(Framing::default(), Tls::default())),
            _ => Err(SettingError::new(format!(
                "unknown transport {s:?}: write udp, tcp or tcp+tls"
            ))),
        }
    }
}

/// The trusted authorities and the client certificate of TLS. Default: the system's trust store,
/// and no certificate.
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Tls {
    /// Certificates in PEM of authorities to trust besides those of the system.
    pub ca_pem: Option<String>,
    /// The certificate for relays that ask for one.
    pub identity: Option<ClientIdentity>,
}

impl Tls {
    /// Reads the trust store, which takes some milliseconds.
    pub(crate) fn trust(&self) -> Result<Trust, Error> {
        let trust = match &self.ca_pem {
            Some(pem) => Trust::system_with_ca(pem.as_bytes()),
            None => Trust::system(),
        };
        let trust = trust.map_err(Kind::Tls)?;
        Ok(match &self.identity {
            Some(identity) => trust.with_client_identity(identity),
            None => trust,
        })
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls")
            .field("own_ca", &self.ca_pem.is_some())
            .field("client_certificate", &self.identity.is_some())
            .finish()
    }
}
