//! The settings in force, with what is derived from them once.

use cap_egress::Trust;

use crate::config::{Config, Transport};
use crate::error::Error;
use crate::event::EventRef;
use crate::format::Formatter;
use crate::frame::Framing;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    formatter: Formatter,
    /// Set for TLS.
    trust: Option<Trust>,
}

impl Settings {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        let trust = match &config.transport {
            Transport::Tls(_, tls) => Some(tls.trust()?),
            Transport::Udp | Transport::Tcp(_) => None,
        };
        Ok(Self { formatter: config.formatter(&std::process::id().to_string()), trust, config })
    }

    pub(crate) fn trust(&self) -> Option<&Trust> {
        self.trust.as_ref()
    }

    /// The same settings with the other framing; `None` over UDP.
    pub(crate) fn with_other_framing(&self) -> Option<(Framing, Self)> {
        let mut config = self.config.clone();
        let (Transport::Tcp(framing) | Transport::Tls(framing, _)) = &mut config.transport else {
            return None;
        };
        *framing = match framing {
            Framing::OctetCounting => Framing::Newline,
            Framing::Newline => Framing::OctetCounting,
        };
        let framing = *framing;
        let settings =
            Self { formatter: self.formatter.clone(), trust: self.trust.clone(), config };
        Some((framing, settings))
    }

    /// Appends the record of an event, without a frame.
    pub(crate) fn render(&self, event: EventRef<'_>, out: &mut Vec<u8>) {
        self.formatter.append(event, out);
    }

    /// Appends the record of an event, framed for the transport.
    pub(crate) fn write(&self, event: EventRef<'_>, out: &mut Vec<u8>) {
        match self.config.transport.framing() {
            Some(framing) => framing.append(out, |out| self.formatter.append(event, out)),
            None => self.formatter.append(event, out),
        }
    }
}
