//! A TCP connection to a relay: its socket options, and what the relay's TCP stack has acknowledged.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// Bounds how long a silent peer goes unnoticed.
pub(crate) fn set_options(stream: &TcpStream, stall_timeout: Duration) -> io::Result<()> {
    // Batches are gathered here, and a single event should leave at once.
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

/// Says how many bytes written to a socket the peer's TCP stack has not acknowledged; `None` where the kernel does not tell.
pub(crate) type Unacknowledged = fn(&TcpStream) -> io::Result<Option<u64>>;

/// Asks Linux (`SIOCOUTQ`), which tells unless a sandbox keeps it from doing so.
///
/// Only meaningful while the connection is healthy, since a reset may empty the queue: a broken one is an error here.
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no safe wrapper of this ioctl is published")]
pub(crate) fn unacknowledged(stream: &TcpStream) -> io::Result<Option<u64>> {
    use std::os::fd::AsRawFd as _;

    let mut bytes: libc::c_int = 0;
    // SAFETY: SIOCOUTQ (the same number as TIOCOUTQ, tcp(7)) writes one int to the pointer, which is to a live local; the
    // descriptor is open for as long as `stream` is borrowed.
    let outcome = unsafe { libc::ioctl(stream.as_raw_fd(), libc::TIOCOUTQ, &raw mut bytes) };
    match SockRef::from(stream).take_error()? {
        Some(error) => Err(error),
        None if outcome < 0 => Ok(None),
        None => Ok(Some(u64::try_from(bytes).unwrap_or(0))),
    }
}

/// Nobody to ask.
#[cfg(not(target_os = "linux"))]
pub(crate) fn unacknowledged(_: &TcpStream) -> io::Result<Option<u64>> {
    Ok(None)
}
