//! The one place of the workspace that opens a connection.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpStream, UdpSocket};

/// Connects to a checked address, and verifies that the peer has this address.
pub(super) async fn tcp(address: SocketAddr) -> io::Result<TcpStream> {
    #[expect(clippy::disallowed_methods, reason = "the address was checked")]
    let stream = TcpStream::connect(address).await?;
    check_ends(address, stream.peer_addr()?, stream.local_addr()?)?;
    Ok(stream)
}

/// Opens a socket that is connected to a checked address.
pub(super) async fn udp(address: SocketAddr) -> io::Result<UdpSocket> {
    let own: IpAddr = match address {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((own, 0)).await?;
    #[expect(clippy::disallowed_methods, reason = "the address was checked")]
    socket.connect(address).await?;
    check_ends(address, socket.peer_addr()?, socket.local_addr()?)?;
    Ok(socket)
}

/// Refuses a peer that is not the checked address, and a peer that is this socket itself.
///
/// A connect to a free port of this host can meet its own SYN (RFC 9293, 3.5, simultaneous open). A
/// reconnect loop would then talk to itself.
fn check_ends(checked: SocketAddr, peer: SocketAddr, own: SocketAddr) -> io::Result<()> {
    if (peer.ip(), peer.port()) != (checked.ip(), checked.port()) {
        return Err(io::Error::other("connected to another address than the one checked"));
    }
    if own == peer {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::TcpSocket;

    #[test]
    fn a_peer_at_an_unchecked_address_is_refused() {
        let checked: SocketAddr = "127.0.0.1:514".parse().unwrap();
        let own = "127.0.0.1:40000".parse().unwrap();
        assert!(check_ends(checked, checked, own).is_ok());
        for peer in ["127.0.0.2:514", "127.0.0.1:515", "[::ffff:127.0.0.1]:514"] {
            assert!(check_ends(checked, peer.parse().unwrap(), own).is_err());
        }
    }

    #[tokio::test]
    async fn a_stream_connected_to_itself_counts_as_refused() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let own = socket.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a socket that meets its own SYN")]
        let stream = socket.connect(own).await.unwrap();
        let (peer, local) = (stream.peer_addr().unwrap(), stream.local_addr().unwrap());

        let refusal = check_ends(own, peer, local).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::ConnectionRefused);
    }
}
