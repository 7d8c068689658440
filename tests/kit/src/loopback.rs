//! Ports on loopback that stay the receiver's across a restart.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// The ports below the range from which the kernel takes those of outgoing connections. While a
/// receiver is down, a client that keeps dialing its port can neither get that port for its own end
/// nor connect to itself.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

const LOCALHOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Runs `bind` with one port after another until it does not say that the port is in use.
pub(crate) fn bind_any<T>(
    ip: IpAddr,
    mut bind: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run side by side begin far apart.
    let start = (std::process::id().wrapping_mul(7919) % u32::from(COUNT)) as u16;
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        match bind(SocketAddr::new(ip, port)) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => refused = error,
            result => return result,
        }
    }
    Err(refused)
}

/// An address on which nobody listens, for a program that takes its port from a setting.
///
/// # Errors
/// When no port of loopback is free.
pub fn free_addr() -> io::Result<SocketAddr> {
    bind_any(LOCALHOST, |addr| TcpListener::bind(addr)?.local_addr())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_out_twice_while_it_is_bound() {
        let listeners: Vec<_> =
            (0..50).map(|_| bind_any(LOCALHOST, TcpListener::bind).expect("a port")).collect();
        let free = free_addr().expect("a port");
        assert!((FIRST..FIRST + COUNT).contains(&free.port()));
        let taken = |listener: &TcpListener| listener.local_addr().expect("bound") == free;
        assert!(!listeners.iter().any(taken));
    }
}
