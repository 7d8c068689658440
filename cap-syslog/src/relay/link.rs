//! An open connection to a relay.

use cap_egress::Guard;
use tokio::net::{TcpStream, UdpSocket};

use super::settings::Settings;
use super::tls::Encryption;
use crate::config::{Relay, Transport};

pub(crate) enum Link {
    Stream(TcpStream, Encryption),
    Datagrams(UdpSocket),
}

impl Link {
    /// Resolves the relay's name, checks the addresses, connects, and completes the TLS handshake
    /// where there is one.
    pub(crate) async fn open(
        settings: &Settings,
        guard: &Guard,
        relay: &Relay,
    ) -> Result<Self, cap_egress::Error> {
        let Relay { host, port } = relay;
        if let Some(trust) = settings.trust() {
            let stream = guard.connect_tls(host, port.get(), trust).await?;
            let (stream, connection) = stream.into_inner();
            return Ok(Self::Stream(stream, Encryption::tls(connection)));
        }
        match settings.config.transport {
            Transport::Udp => guard.connect_udp(host, port.get()).await.map(Self::Datagrams),
            _ => {
                let stream = guard.connect(host, port.get()).await?;
                Ok(Self::Stream(stream, Encryption::None))
            }
        }
    }
}
