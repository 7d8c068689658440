//! The one place of the workspace that opens a TCP connection.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

/// Connects to an address that was judged, and makes sure that it is the one at the other end.
pub(super) async fn open(address: SocketAddr) -> io::Result<TcpStream> {
    #[expect(clippy::disallowed_methods, reason = "the address was judged")]
    let stream = TcpStream::connect(address).await?;
    check_peer(&stream, address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Refuses a stream whose far end is not the address that was judged, or is the stream itself: a connect to a free
/// local port can meet its own SYN (RFC 9293, 3.5, simultaneous open), and a reconnect loop would then talk to itself.
fn check_peer(stream: &TcpStream, judged: SocketAddr) -> io::Result<()> {
    let peer = stream.peer_addr()?;
    if (peer.ip(), peer.port()) != (judged.ip(), judged.port()) {
        return Err(io::Error::other(
            "connected to another address than the one judged",
        ));
    }
    if stream.local_addr()? == peer {
        return Err(io::ErrorKind::ConnectionRefused.into());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::{TcpListener, TcpSocket};

    #[tokio::test]
    async fn a_stream_to_another_address_than_the_judged_one_is_refused() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stream = open(address).await.unwrap();

        assert!(check_peer(&stream, address).is_ok());
        let judged = SocketAddr::new([127, 0, 0, 2].into(), address.port());
        assert!(check_peer(&stream, judged).is_err());
    }

    #[tokio::test]
    async fn a_stream_connected_to_itself_counts_as_refused() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let own = socket.local_addr().unwrap();
        #[expect(clippy::disallowed_methods, reason = "a socket that meets its own SYN")]
        let stream = socket.connect(own).await.unwrap();

        let refusal = check_peer(&stream, own).unwrap_err();
        assert_eq!(refusal.kind(), io::ErrorKind::ConnectionRefused);
    }
}
