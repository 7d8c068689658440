//! Where the relays are, and what records look like.

use std::time::Duration;

use crate::format::{Formatter, Header};

mod duration;
mod facility;
mod format;
mod relay;
mod sd_id;
mod size;
mod transport;

pub use duration::BoundedDuration;
pub use facility::Facility;
pub use format::Format;
pub use relay::{Port, Relay};
pub use sd_id::SdId;
pub use size::{BufferSize, RecordSize};
pub use transport::{Tls, Transport};

/// The settings of a forwarder. Each type holds only values that can work.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The relay to send to.
    pub relay: Relay,
    /// Relays to use, in this order, while those before accept no connection. Default: none.
    pub fallbacks: Vec<Relay>,
    /// The interval at which the relays before the one in use are tried. The forwarder returns to
    /// one that accepts a connection. At least 1 ms, at most a day. Default: 60 s.
    ///
    /// Over UDP, a resolved address is used for the same time.
    pub failback: BoundedDuration<1>,
    /// What carries the records. Default: TCP with octet counting.
    pub transport: Transport,
    /// How a record carries the event. Default: RFC 5424 structured data.
    pub format: Format,
    /// The facility of every record. Default: local6.
    pub facility: Facility,
    /// HOSTNAME of the header. Default: `-`.
    pub hostname: String,
    /// APP-NAME of the header. Default: `certautopilot`.
    pub app_name: String,
    /// SD-ID of the structured data. Default: `cap@0`.
    pub sd_id: SdId,
    /// Device Version of [`Format::Cef`], which SIEM rules may match. Default: the version of this
    /// crate.
    pub product_version: String,
    /// Events in the buffer at most, sent or not. Default: 10,000.
    pub buffer_size: BufferSize,
    /// Bytes of a record at most, without its frame. Over UDP, more than 65,507 counts as 65,507.
    /// Default: [`Transport::default_message_size`].
    pub max_message_size: Option<RecordSize>,
    /// How long an event is kept after the relay's TCP stack acknowledged it, in case the relay
    /// dies before it reads the event. Default: 500 ms; at most a day. Not used over UDP.
    ///
    /// An event is delivered when nine tenths to all of the grace have passed. While later bytes
    /// stay unacknowledged, at most half of the grace passes.
    pub grace: BoundedDuration<0>,
    /// The age of unacknowledged bytes at which the connection ends (TCP_USER_TIMEOUT); at least 1
    /// s, at most a day. Default: 10 s.
    pub stall_timeout: BoundedDuration<1000>,
}

impl Config {
    /// The defaults, for this relay.
    pub fn new(relay: Relay) -> Self {
        Self {
            relay,
            fallbacks: Vec::new(),
            failback: BoundedDuration::known(Duration::from_secs(60)),
            transport: Transport::default(),
            format: Format::default(),
            facility: Facility::default(),
            hostname: "-".to_owned(),
            app_name: "certautopilot".to_owned(),
            sd_id: SdId::default(),
            product_version: env!("CARGO_PKG_VERSION").to_owned(),
            buffer_size: BufferSize::default(),
            max_message_size: None,
            grace: BoundedDuration::known(Duration::from_millis(500)),
            stall_timeout: BoundedDuration::known(Duration::from_secs(10)),
        }
    }

    /// Bytes of a record at most: [`max_message_size`](Self::max_message_size), else the
    /// transport's default.
    pub fn message_size(&self) -> RecordSize {
        match self.max_message_size {
            Some(size) => size.min(self.transport.max_message_size()),
            None => self.transport.default_message_size(),
        }
    }

    /// A formatter for these settings and this PROCID. It reduces the header fields to printable
    /// ASCII and to the lengths of RFC 5424, section 6.2, and writes an empty one as `-`.
    pub fn formatter(&self, procid: &str) -> Formatter {
        Formatter::new(&Header {
            format: self.format,
            facility: self.facility,
            hostname: &self.hostname,
            app_name: &self.app_name,
            procid,
            sd_id: self.sd_id.as_str(),
            product_version: &self.product_version,
            max_size: self.message_size().get(),
        })
    }

    /// The relays in the order in which they are tried.
    pub(crate) fn relays(&self) -> impl Iterator<Item = &Relay> {
        std::iter::once(&self.relay).chain(&self.fallbacks)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transport_has_its_port_and_its_record_size() {
        let mut config = Config::new("127.0.0.1:601".parse().expect("a relay"));
        for (word, port, size) in [("udp", 514, 2048), ("tcp", 601, 8192), ("tcp+tls", 6514, 8192)]
        {
            let transport: Transport = word.parse().expect(word);
            assert_eq!(transport.as_str(), word);
            assert_eq!(transport.default_port().get(), port);
            config.transport = transport;
            assert_eq!(config.message_size().get(), size);
        }
        assert!("tls".parse::<Transport>().is_err());
    }

    #[test]
    fn a_record_is_never_longer_than_a_datagram() {
        let mut config = Config::new("127.0.0.1:514".parse().expect("a relay"));
        config.max_message_size = Some(RecordSize::MAX);
        assert_eq!(config.message_size(), RecordSize::MAX);
        config.transport = Transport::Udp;
        assert_eq!(config.message_size().get(), 65_507);
        assert!(config.transport.message_size(65_507).is_ok());
        assert!(config.transport.message_size(65_508).is_err());
    }
}
