//! Where the relay is and how records look.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use cap_egress::Host;

use crate::error::Kind;
use crate::{Error, Format, Framing};

/// The settings of a forwarder; the fields' defaults are those of [`Config::new`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The relay.
    pub host: Host,
    /// Its port; 601 is usual for TCP.
    pub port: u16,
    /// How records are delimited on the stream. Default: octet counting.
    pub framing: Framing,
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
    /// Events held at most, unsent or not yet released. Default: 10,000.
    pub buffer_size: usize,
    /// Bytes of a record at most, without its frame; at least 2048. Default: 8192.
    pub max_message_size: usize,
    /// How long after the relay's TCP stack acknowledged an event it is kept, in case the relay dies before reading it.
    /// Default: 500 ms.
    pub grace: Duration,
    /// Unacknowledged bytes this old end the connection (TCP_USER_TIMEOUT). Default: 10 s.
    pub stall_timeout: Duration,
}

impl Config {
    /// The defaults, for a relay.
    pub fn new(host: Host, port: u16) -> Self {
        Config {
            host,
            port,
            framing: Framing::OctetCounting,
            format: Format::Rfc5424,
            facility: Facility::default(),
            hostname: "-".to_owned(),
            app_name: "certautopilot".to_owned(),
            sd_id: "cap@0".to_owned(),
            buffer_size: 10_000,
            max_message_size: 8192,
            grace: Duration::from_millis(500),
            stall_timeout: Duration::from_secs(10),
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        let wrong = |key, what: String| Err(Error::from(Kind::Config { key, what }));
        if self.port == 0 {
            return wrong("port", "0 is no port; 601 is usual for TCP".to_owned());
        }
        if self.buffer_size == 0 {
            return wrong(
                "buffer_size",
                "0 would drop every event; write at least 1".to_owned(),
            );
        }
        if self.max_message_size < 2048 {
            let what = format!(
                "{} is too small; write at least 2048",
                self.max_message_size
            );
            return wrong("max_message_size", what);
        }
        if self.buffer_size > 10_000_000 {
            let what = format!(
                "{} events do not fit into memory; write at most 10000000",
                self.buffer_size
            );
            return wrong("buffer_size", what);
        }
        if self.stall_timeout < Duration::from_secs(1) {
            let what = format!(
                "{:?} is too short for TCP; write at least 1s",
                self.stall_timeout
            );
            return wrong("stall_timeout", what);
        }
        let sd_id_ok = (1..=32).contains(&self.sd_id.len())
            && self
                .sd_id
                .bytes()
                .all(|b| b.is_ascii_graphic() && !br#"=]""#.contains(&b));
        if !sd_id_ok {
            let what = format!(
                "{:?} is no SD-ID (RFC 5424, 6.3.2): 1 to 32 printable ASCII characters other than = ] \"",
                self.sd_id
            );
            return wrong("sd_id", what);
        }
        Ok(())
    }
}

/// A syslog facility, 0 to 23 (RFC 5424, section 6.2.1, table 1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facility(u8);

impl Facility {
    /// local0 to local7.
    ///
    /// # Panics
    ///
    /// When `n` is above 7.
    pub const fn local(n: u8) -> Self {
        assert!(n <= 7, "facilities end at local7");
        Facility(16 + n)
    }

    /// The numerical code.
    pub fn code(self) -> u8 {
        self.0
    }
}

/// local6.
impl Default for Facility {
    fn default() -> Self {
        Facility::local(6)
    }
}

/// `local0` … `local7`, or a numerical code from 0 to 23.
impl FromStr for Facility {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        let code = match s.strip_prefix("local") {
            Some(n) => n.parse().ok().filter(|n| *n <= 7).map(|n: u8| 16 + n),
            None => s.parse().ok().filter(|code| *code <= 23),
        };
        code.map(Facility).ok_or_else(|| {
            format!("unknown facility {s:?}: write local0 to local7, or a code from 0 to 23")
        })
    }
}

impl fmt::Display for Facility {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            local @ 16..=23 => write!(f, "local{}", local - 16),
            code => write!(f, "{code}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facilities_have_the_codes_of_the_rfc() {
        for (name, code) in [
            ("local0", 16),
            ("local5", 21),
            ("local6", 22),
            ("21", 21),
            ("0", 0),
        ] {
            assert_eq!(name.parse::<Facility>().map(Facility::code), Ok(code));
        }
        assert_eq!(Facility::default().code(), 22);
        for name in ["local8", "24", "local", "user", "-1", ""] {
            assert!(name.parse::<Facility>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_setting_that_cannot_work_is_refused_by_name() {
        let base = Config::new("127.0.0.1".parse().expect("a host"), 601);
        type Spoil = fn(&mut Config);
        let cases: [(&str, Spoil); 6] = [
            ("syslog.port", |c| c.port = 0),
            ("syslog.buffer_size", |c| c.buffer_size = 0),
            ("syslog.buffer_size", |c| c.buffer_size = usize::MAX),
            ("syslog.stall_timeout", |c| c.stall_timeout = Duration::ZERO),
            ("syslog.max_message_size", |c| c.max_message_size = 100),
            ("syslog.sd_id", |c| c.sd_id = "a b".to_owned()),
        ];
        assert!(base.check().is_ok());
        for (key, spoil) in cases {
            let mut config = base.clone();
            spoil(&mut config);
            let message = config.check().expect_err(key).to_string();
            assert!(message.starts_with(key), "{message}");
        }
    }
}
