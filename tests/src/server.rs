//! A loopback listener whose connections end with it, so that "the peer went away" is one call.

use crate::loopback;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// Any free port of the loopback interface.
pub(crate) const ANY_PORT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);

#[derive(Debug)]
pub(crate) struct Server {
    addr: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Binds `addr` (port 0 for any free one) and runs `serve` for every connection, on the caller's runtime.
    pub(crate) async fn start<F, S>(addr: SocketAddr, serve: F) -> io::Result<Self>
    where
        F: Fn(TcpStream) -> S + Send + 'static,
        S: Future<Output = ()> + Send + 'static,
    {
        let listener = match addr.port() {
            0 => loopback::bind_any(bind)?,
            _ => bind(addr)?,
        };
        let addr = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let accepting = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                tokio::select! {
                    accepted = listener.accept() => {
                        if let Ok((stream, _)) = accepted {
                            connections.spawn(serve(stream));
                        }
                    }
                    Some(_) = connections.join_next() => {}
                    _ = stopped.wait_for(|stop| *stop) => break,
                }
            }
            drop(listener);
            connections.shutdown().await;
        });
        Ok(Self {
            addr,
            stop,
            accepting: Some(accepting),
        })
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Closes the listener and every connection. When this returns, the port is free.
    pub(crate) async fn stop(mut self) {
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

fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = TcpSocket::new_v4()?;
    // Connections of the server before this one do not keep the port.
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    socket.listen(1024)
}

/// Waits until `holds`, at most for `timeout`; says whether it came to hold.
pub(crate) async fn until<T>(
    state: &watch::Sender<T>,
    mut holds: impl FnMut(&T) -> bool,
    timeout: Duration,
) -> bool {
    let mut changes = state.subscribe();
    let waited = tokio::time::timeout(timeout, changes.wait_for(|state| holds(state))).await;
    matches!(waited, Ok(Ok(_)))
}
