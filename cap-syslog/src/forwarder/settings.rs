//! The settings in force, with what is made of them once.

use std::io;

use cap_egress::{Guard, Trust};
use tokio::net::{TcpStream, UdpSocket};

use super::wire::Wire;
use crate::config::{Config, Relay, Transport};
use crate::error::Error;
use crate::event::View;
use crate::format::Formatter;
use crate::frame::Framing;
use crate::tcp;

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) config: Config,
    formatter: Formatter,
    /// Set for TLS.
    trust: Option<Trust>,
}

/// An open connection to a relay.
pub(crate) enum Link {
    Stream(TcpStream, Wire),
    Datagrams(UdpSocket),
}

impl Settings {
    pub(crate) fn new(config: Config) -> Result<Self, Error> {
        config.check()?;
        let trust = match &config.transport {
            Transport::Tls(_, tls) => Some(tls.trust()?),
            Transport::Udp | Transport::Tcp(_) => None,
        };
        Ok(Settings {
            formatter: Formatter::new(&config, &std::process::id().to_string()),
            trust,
            config,
        })
    }

    pub(crate) async fn connect(
        &self,
        guard: &Guard,
        relay: &Relay,
    ) -> Result<Link, cap_egress::Error> {
        let Relay { host, port } = relay;
        if let Some(trust) = &self.trust {
            let stream = guard.connect_tls(host, *port, trust).await?;
            let (stream, session) = stream.into_inner();
            return Ok(Link::Stream(stream, Wire::tls(session)));
        }
        match self.config.transport {
            Transport::Udp => guard.connect_udp(host, *port).await.map(Link::Datagrams),
            _ => {
                let stream = guard.connect(host, *port).await?;
                Ok(Link::Stream(stream, Wire::Plain))
            }
        }
    }

    /// The same with the other framing; none over UDP.
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
        let settings = Settings {
            formatter: self.formatter.clone(),
            trust: self.trust.clone(),
            config,
        };
        Some((framing, settings))
    }

    /// Appends an event without a frame.
    pub(crate) fn render(&self, event: View<'_>, out: &mut Vec<u8>) {
        self.formatter.append(event, out);
    }

    /// Appends an event as it goes over the transport.
    pub(crate) fn write(&self, event: View<'_>, out: &mut Vec<u8>) {
        match self.config.transport.framing() {
            Some(framing) => framing.append(out, |out| self.formatter.append(event, out)),
            None => self.formatter.append(event, out),
        }
    }

    pub(crate) fn set_options(&self, stream: &TcpStream) -> io::Result<()> {
        tcp::set_options(stream, &self.config)
    }
}
