//! A loopback listener whose connections end with it, so that "the peer went away" is one call.

use crate::loopback;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsAcceptor;

/// Any free port of the loopback interface.
pub const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

/// A connection, with TLS or without.
pub trait Io: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

/// A listener with its open connections. Dropping it closes the listener.
#[derive(Debug)]
pub struct Server {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Runs `serve` for every connection that shook hands, on the caller's runtime.
    ///
    /// # Errors
    /// When the listener has no local address.
    pub fn start<F, S>(
        listener: TcpListener,
        tls: Option<TlsAcceptor>,
        serve: F,
    ) -> io::Result<Self>
    where
        F: Fn(Box<dyn Io>) -> S + Send + Sync + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let addr = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let serve = Arc::new(serve);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        let Ok((stream, _)) = accepted else { continue };
                        let (tls, serve) = (tls.clone(), Arc::clone(&serve));
                        connections.spawn(async move {
                            if let Some(stream) = shake_hands(stream, tls).await {
                                serve(stream).await;
                            }
                        });
                    }
                    Some(_) = connections.join_next() => {}
                    _ = stopped.wait_for(|stop| *stop) => break,
                }
            }
            drop(listener);
            connections.shutdown().await;
        });
        Ok(Self { addr, stop, accepting: Some(accepting) })
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the listener and every connection. When this returns, the port is free.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if let Some(accepting) = self.accepting.take() {
            // A panic in the accept loop is a bug here, not something a test could react to.
            accepting.await.expect("the accept loop");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(accepting) = &self.accepting {
            accepting.abort();
        }
    }
}

/// None when the client and we did not agree: that is the client's to report.
async fn shake_hands(stream: TcpStream, tls: Option<TlsAcceptor>) -> Option<Box<dyn Io>> {
    match tls {
        None => Some(Box::new(stream)),
        Some(tls) => Some(Box::new(tls.accept(stream).await.ok()?)),
    }
}

/// Runs `bind` on `addr`. If its port is 0, runs `bind` on one free port after another.
///
/// # Errors
/// Those of `bind`.
pub fn bind_to<T>(
    addr: SocketAddr,
    mut bind: impl FnMut(SocketAddr) -> io::Result<T>,
) -> io::Result<T> {
    match addr.port() {
        0 => loopback::bind_any(addr.ip(), bind),
        _ => bind(addr),
    }
}

/// A listener that connections of the server before it do not keep from its port.
///
/// # Errors
/// When `addr` cannot be bound.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = match addr {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(1024)
}
