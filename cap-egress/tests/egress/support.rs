//! The listeners, servers and resolvers of these tests.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use cap_egress::{ClientIdentity, Guard, Host, Policy, Resolve, ResolveFuture, Trust};
use cap_testkit::{ANY_PORT, Authority, Io, Security, Server};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::client::TlsStream;

pub(crate) const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

pub(crate) fn host(written: &str) -> Host {
    written.parse().unwrap()
}

pub(crate) fn ips(written: &[&str]) -> Vec<IpAddr> {
    written.iter().map(|ip| ip.parse().unwrap()).collect()
}

/// The system's trust store and this authority.
pub(crate) fn trust(authority: &Authority) -> Trust {
    Trust::system_with_ca(authority.ca_pem().as_bytes()).unwrap()
}

/// A client's certificate of this authority.
pub(crate) fn client(authority: &Authority) -> ClientIdentity {
    let client = authority.client("client.example");
    ClientIdentity::from_pem(client.chain_pem.as_bytes(), client.key_pem.as_bytes()).unwrap()
}

/// Connects to a server through a guard to which every name is loopback.
pub(crate) async fn connect(
    server: &Server,
    written: &str,
    trust: &Trust,
) -> Result<TlsStream<TcpStream>, cap_egress::Error> {
    let answers = std::iter::repeat_n(vec![LOOPBACK], 8);
    let guard = Guard::builder(Policy::default()).resolver(Script::answering(answers)).build();
    guard.connect_tls(&host(written), server.addr().port(), trust).await
}

/// A server for these names, which answers the first byte of every connection with "hello".
pub(crate) async fn greet(authority: &Authority, names: &[&str]) -> Server {
    let identity = authority.server_for(names);
    greet_with(Security::Tls(&identity).acceptor(&[]).unwrap()).await
}

/// A server that answers the first byte of every connection with "hello".
pub(crate) async fn greet_with(tls: TlsAcceptor) -> Server {
    let listener = TcpListener::bind(ANY_PORT).await.unwrap();
    let hello = |mut stream: Box<dyn Io>| async move {
        if stream.read_u8().await.is_ok() {
            // A client that has gone needs no answer.
            let _ = stream.write_all(b"hello").await;
            let _ = stream.shutdown().await;
        }
    };
    Server::start(listener, Some(tls), hello).unwrap()
}

/// A listener that knows whether a client connected.
pub(crate) struct Tripwire(std::net::TcpListener);

impl Tripwire {
    pub(crate) fn set() -> Self {
        let listener = std::net::TcpListener::bind((LOOPBACK, 0)).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    /// A connect on loopback is in the accept queue before it returns, so this needs no wait.
    pub(crate) fn is_untouched(&self) -> bool {
        matches!(self.0.accept(), Err(error) if error.kind() == io::ErrorKind::WouldBlock)
    }
}

/// Resolves each name to the next of its answers, and counts the calls.
#[derive(Clone, Default)]
pub(crate) struct Script {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Script {
    pub(crate) fn answering(answers: impl IntoIterator<Item = Vec<IpAddr>>) -> Self {
        Self { answers: Arc::new(Mutex::new(answers.into_iter().collect())), asked: Arc::default() }
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl Resolve for Script {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> ResolveFuture<'a> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(async move { answer.ok_or_else(|| io::Error::other("resolved once too often")) })
    }
}

/// Never answers.
pub(crate) struct Silent;

impl Resolve for Silent {
    fn resolve<'a>(&'a self, _: &'a str, _: u16) -> ResolveFuture<'a> {
        Box::pin(std::future::pending())
    }
}
