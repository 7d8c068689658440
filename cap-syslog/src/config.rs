//! Where the relay is and how records look.

use std::time::Duration;

use cap_egress::Host;

use crate::Error;
use crate::error::Kind;
use crate::format::{Formatter, Header};

mod facility;
mod format;
mod transport;

pub use facility::Facility;
pub use format::Format;
pub use transport::{Tls, Transport};

/// The largest payload of a UDP datagram over IPv4.
const LARGEST_DATAGRAM: usize = 65_507;
/// The longest time that a setting may ask for; far below what an instant can hold.
const LONGEST: Duration = Duration::from_secs(24 * 3600);

/// Of a buffer full of larger ones nothing else would fit into memory.
const LARGEST_RECORD: usize = 16 * 1024 * 1024;

/// The settings of a forwarder; the fields' defaults are those of [`Config::new`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The relay.
    pub host: Host,
    /// Its port; [`Transport::default_port`] is the usual one.
    pub port: u16,
    /// Relays to turn to, in this order, while the one above accepts no connection. It is tried again every
    /// [`failback`](Self::failback), and taken again as soon as it accepts one. Default: none.
    pub fallbacks: Vec<Relay>,
    /// How often, while a fallback stands in, the relays above it are tried; over UDP also how long an address that a name
    /// resolved to is used; at most a day. Default: 60 s.
    pub failback: Duration,
    /// What carries the records. Default: TCP with octet counting.
    pub transport: Transport,
    /// How a record carries the event. Default: RFC 5424 structured data.
    pub format: Format,
    /// Default: local6.
    pub facility: Facility,
    /// HOSTNAME of the header. Default: `-`.
    pub hostname: String,
    /// APP-NAME of the header. Default: `certautopilot`.
    pub app_name: String,
    /// SD-ID of the structured data. Default: `cap@0`.
    pub sd_id: String,
    /// Device Version of [`Format::Cef`], which SIEM rules may go by. Default: this crate's.
    pub product_version: String,
    /// Events held at most, unsent or not yet released. Default: 10,000.
    pub buffer_size: usize,
    /// Bytes of a record at most, without its frame; at least 2048. Default: the transport's,
    /// [`Transport::default_message_size`].
    pub max_message_size: Option<usize>,
    /// How long at most after the relay's TCP stack acknowledged an event it is kept, in case the relay dies before reading it;
    /// at least nine tenths of it. While it acknowledges nothing of what came later, the event is kept, and half of it passes at most.
    /// At most a day; of no consequence over UDP. Default: 500 ms.
    pub grace: Duration,
    /// Unacknowledged bytes this old end the connection (TCP_USER_TIMEOUT); from a second to a day. Default: 10 s.
    pub stall_timeout: Duration,
}

/// A relay's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Relay {
    /// Its name or address.
    pub host: Host,
    /// Its port.
    pub port: u16,
}

/// `host:port`, as configured.
impl std::fmt::Display for Relay {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

impl Config {
    /// The defaults, for a relay.
    pub fn new(host: Host, port: u16) -> Self {
        Config {
            host,
            port,
            fallbacks: Vec::new(),
            failback: Duration::from_secs(60),
            transport: Transport::default(),
            format: Format::Rfc5424,
            facility: Facility::default(),
            hostname: "-".to_owned(),
            app_name: "certautopilot".to_owned(),
            sd_id: "cap@0".to_owned(),
            product_version: env!("CARGO_PKG_VERSION").to_owned(),
            buffer_size: 10_000,
            max_message_size: None,
            grace: Duration::from_millis(500),
            stall_timeout: Duration::from_secs(10),
        }
    }

    /// Bytes of a record at most: the setting, else the transport's default.
    pub fn message_size(&self) -> usize {
        self.max_message_size
            .unwrap_or_else(|| self.transport.default_message_size())
    }

    /// A formatter for these settings and this PROCID. It reduces header fields to printable ASCII and the lengths of
    /// RFC 5424, section 6.2, writes an empty one as `-`, and reduces the SD-ID to the characters of section 6.3.2. It
    /// never holds a record to less than 2048 bytes.
    pub fn formatter(&self, procid: &str) -> Formatter {
        Formatter::new(&Header {
            format: self.format,
            facility: self.facility,
            hostname: &self.hostname,
            app_name: &self.app_name,
            procid,
            sd_id: &self.sd_id,
            product_version: &self.product_version,
            max_size: self.message_size(),
        })
    }

    /// The relays in the order in which they are tried.
    pub(crate) fn relays(&self) -> impl Iterator<Item = Relay> {
        let first = Relay {
            host: self.host.clone(),
            port: self.port,
        };
        std::iter::once(first).chain(self.fallbacks.iter().cloned())
    }

    /// Whether it can work, as far as that shows without a relay; starting a forwarder asks this too.
    ///
    /// # Errors
    ///
    /// [`Error::setting`] says which cannot, and why.
    pub fn check(&self) -> Result<(), Error> {
        let wrong = |key, what: String| Err(Error::from(Kind::Config { key, what }));
        let size = self.message_size();
        if self.port == 0 {
            let usual = self.transport.default_port();
            let what = format!(
                "0 is no port; {usual} is usual for {}",
                self.transport.as_str()
            );
            return wrong("port", what);
        }
        if let Some(relay) = self.fallbacks.iter().find(|relay| relay.port == 0) {
            return wrong("fallbacks", format!("{relay}: 0 is no port"));
        }
        if self.failback.is_zero() {
            return wrong(
                "failback",
                "0s leaves no time to send; write at least 1s".to_owned(),
            );
        }
        if self.buffer_size == 0 {
            return wrong(
                "buffer_size",
                "0 would drop every event; write at least 1".to_owned(),
            );
        }
        if self.buffer_size > 10_000_000 {
            let what = format!(
                "{} events do not fit into memory; write at most 10000000",
                self.buffer_size
            );
            return wrong("buffer_size", what);
        }
        if size < 2048 {
            let what = format!("{size} is too small; write at least 2048");
            return wrong("max_message_size", what);
        }
        if size > LARGEST_RECORD {
            let what = format!("{size} is too large; write at most {LARGEST_RECORD}");
            return wrong("max_message_size", what);
        }
        if matches!(self.transport, Transport::Udp) && size > LARGEST_DATAGRAM {
            let what = format!(
                "{size} bytes do not fit into a datagram; write at most {LARGEST_DATAGRAM}"
            );
            return wrong("max_message_size", what);
        }
        if self.stall_timeout < Duration::from_secs(1) {
            let what = format!(
                "{:?} is too short for TCP; write at least 1s",
                self.stall_timeout
            );
            return wrong("stall_timeout", what);
        }
        for (key, duration) in [
            ("grace", self.grace),
            ("stall_timeout", self.stall_timeout),
            ("failback", self.failback),
        ] {
            if duration > LONGEST {
                let what = format!("{duration:?} is too long; write at most 24h");
                return wrong(key, what);
            }
        }
        if !is_private_sd_id(&self.sd_id) {
            let what = format!(
                "{:?} is no SD-ID of one's own (RFC 5424, 6.3.2): write name@number, at most 32 printable ASCII characters other \
                 than = ] \", with the number of your enterprise, such as cap@32473",
                self.sd_id
            );
            return wrong("sd_id", what);
        }
        Ok(())
    }
}

/// `name@number`: a name without a number is IANA's to give out, and a reader may hold its parameters to what is registered.
fn is_private_sd_id(id: &str) -> bool {
    let Some((name, number)) = id.split_once('@') else {
        return false;
    };
    let of_name = |b: u8| b.is_ascii_graphic() && !br#"=]""#.contains(&b);
    let of_number = |b: u8| b.is_ascii_digit() || b == b'.';
    id.len() <= 32
        && !name.is_empty()
        && name.bytes().all(of_name)
        && number.starts_with(|c: char| c.is_ascii_digit())
        && number.bytes().all(of_number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_cannot_work_is_refused_by_name() {
        let base = Config::new("127.0.0.1".parse().expect("a host"), 601);
        type Spoil = fn(&mut Config);
        let cases: [(&str, Spoil); 14] = [
            ("syslog.port", |c| c.port = 0),
            ("syslog.fallbacks", |c| {
                let host = c.host.clone();
                c.fallbacks = vec![Relay { host, port: 0 }];
            }),
            ("syslog.failback", |c| c.failback = Duration::ZERO),
            ("syslog.buffer_size", |c| c.buffer_size = 0),
            ("syslog.buffer_size", |c| c.buffer_size = usize::MAX),
            ("syslog.stall_timeout", |c| c.stall_timeout = Duration::ZERO),
            ("syslog.stall_timeout", |c| c.stall_timeout = Duration::MAX),
            ("syslog.failback", |c| c.failback = Duration::MAX),
            ("syslog.grace", |c| c.grace = Duration::MAX),
            ("syslog.max_message_size", |c| {
                c.max_message_size = Some(100);
            }),
            ("syslog.max_message_size", |c| {
                c.max_message_size = Some(16 * 1024 * 1024 + 1);
            }),
            ("syslog.max_message_size", |c| {
                c.max_message_size = Some(65_508);
                c.transport = Transport::Udp;
            }),
            ("syslog.sd_id", |c| c.sd_id = "a b@0".to_owned()),
            ("syslog.sd_id", |c| c.sd_id = "cap".to_owned()),
        ];
        assert!(base.check().is_ok());
        for (key, spoil) in cases {
            let mut config = base.clone();
            spoil(&mut config);
            let message = config.check().expect_err(key).to_string();
            assert!(message.starts_with(key), "{message}");
        }
    }

    #[test]
    fn a_transport_brings_its_port_and_its_record_size() {
        for (word, port, size) in [
            ("udp", 514, 2048),
            ("tcp", 601, 8192),
            ("tcp+tls", 6514, 8192),
        ] {
            let transport: Transport = word.parse().expect(word);
            assert_eq!((transport.as_str(), transport.default_port()), (word, port));
            let mut config = Config::new("127.0.0.1".parse().expect("a host"), port);
            config.transport = transport;
            assert_eq!(config.message_size(), size);
        }
        assert!("tls".parse::<Transport>().is_err());
    }
}
