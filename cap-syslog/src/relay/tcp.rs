//! The socket of a TCP connection: its options, and what the relay's TCP stack acknowledged.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Bounds the time in which a silent peer is not noticed.
pub(crate) fn set_options(stream: &TcpStream, stall_timeout: Duration) -> io::Result<()> {
    // The forwarder makes the batches, and an event that comes alone should leave at once.
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(stall_timeout)
        .with_interval((stall_timeout / 4).max(Duration::from_secs(1)));
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(stall_timeout))?;
    Ok(())
}

/// Returns how many bytes written to a socket the peer's TCP stack has not acknowledged; `None` if
/// the kernel does not say.
pub(crate) type Unacknowledged = fn(&TcpStream) -> io::Result<Option<u64>>;

/// Asks Linux (`SIOCOUTQ`), which answers unless a sandbox forbids the question.
///
/// A reset may empty the queue, so a broken connection is an error.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe wrapper of this ioctl is published")]
pub(crate) fn unacknowledged(stream: &TcpStream) -> io::Result<Option<u64>> {
    use std::os::fd::AsRawFd as _;

    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (the same number as TIOCOUTQ, tcp(7)) writes one int to the pointer, which
    // is to a live local; the descriptor is open for as long as `stream` is borrowed.
    let outcome = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    match SockRef::from(stream).take_error()? {
        Some(error) => Err(error),
        None if outcome < 0 => Ok(None),
        None => Ok(Some(u64::try_from(bytes).unwrap_or(0))),
    }
}

/// Other systems have no such question.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unacknowledged(_: &TcpStream) -> io::Result<Option<u64>> {
    Ok(None)
}
