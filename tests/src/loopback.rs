//! Ports that stay ours across a restart, and HTTP GETs, both on loopback.

use bytes::Bytes;
use http::header::ACCEPT;
use http::{Request, Response, Uri};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicU16, Ordering};

/// Below the range from which the kernel takes the ports of outgoing connections: while a receiver is down, a client
/// that keeps dialling its port can neither be given that port nor connect to itself.
const FIRST: u16 = 12_000;
const COUNT: u16 = 20_000;

/// Runs `bind` with one port after another until it does not say that the port is in use.
pub(crate) fn bind_any<T>(mut bind: impl FnMut(SocketAddr) -> io::Result<T>) -> io::Result<T> {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    // Processes that run side by side begin far apart.
    let start = (std::process::id().wrapping_mul(7919) % u32::from(COUNT)) as u16;
    let mut refused = io::Error::from(io::ErrorKind::AddrInUse);
    for _ in 0..COUNT {
        let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
        let port = FIRST + (start + step) % COUNT;
        match bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))) {
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => refused = error,
            result => return result,
        }
    }
    Err(refused)
}

/// A port nobody listens on, for a program that has to be told its port.
pub(crate) fn free_addr() -> io::Result<SocketAddr> {
    bind_any(|addr| TcpListener::bind(addr)?.local_addr())
}

/// Whoever reads what we expose or answer connects as any client would.
#[expect(
    clippy::disallowed_types,
    reason = "the guard is for what we send, not for who asks us"
)]
pub(crate) type Http<B> = Client<hyper_util::client::legacy::connect::HttpConnector, B>;

/// An HTTP client that keeps its connection.
#[derive(Clone, Debug)]
pub(crate) struct Get(Http<Empty<Bytes>>);

impl Get {
    pub(crate) fn new() -> Self {
        Self(Client::builder(TokioExecutor::new()).build_http())
    }

    /// The whole answer, or why there is none.
    pub(crate) async fn get(&self, uri: Uri, accept: &str) -> Result<Response<Bytes>, String> {
        let request = Request::get(uri)
            .header(ACCEPT, accept)
            .body(Empty::new())
            .expect("a valid request");
        let answer = self.0.request(request).await;
        let (head, body) = answer.map_err(|error| with_source(&error))?.into_parts();
        let body = body.collect().await.map_err(|error| with_source(&error))?;
        Ok(Response::from_parts(head, body.to_bytes()))
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_port_is_given_out_twice_while_it_is_bound() {
        let listeners: Vec<_> = (0..50)
            .map(|_| bind_any(TcpListener::bind).expect("a port"))
            .collect();
        let free = free_addr().expect("a port");
        assert!((FIRST..FIRST + COUNT).contains(&free.port()));
        let taken = |listener: &TcpListener| listener.local_addr().expect("bound") == free;
        assert!(!listeners.iter().any(taken));
    }
}
