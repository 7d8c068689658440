//! One connect, from a host to a stream: check the name, resolve, check every answer, dial, shake
//! hands.

use std::future::{Future, poll_fn};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::Poll;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Kind;
use crate::trust::observe;
use crate::{Denial, Error, Guard, Host, Stage, TlsProblem, Trust};

mod open;
mod race;

impl Guard {
    /// Connects over TCP.
    ///
    /// If a name has several addresses, they race (RFC 8305):
    ///
    /// - The guard dials the first at once, and the next after 250 ms or as soon as one fails.
    /// - IPv4 and IPv6 take turns.
    /// - The first that connects wins, and the others are dropped.
    ///
    /// # Errors
    ///
    /// [`Error::stage`] says how far the connect came. If the policy refused
    /// ([`Error::is_denied`]), nothing was sent to the host.
    pub async fn connect(&self, host: &Host, port: u16) -> Result<TcpStream, Error> {
        Attempt::new(self, host, port).connect().await
    }

    /// Connects over TCP and TLS, without ALPN and with `TCP_NODELAY` set.
    ///
    /// The certificate must be valid for `host`, whether that is a name or an address.
    ///
    /// # Errors
    ///
    /// As [`Guard::connect`]. If the handshake failed, [`Error::is_tls`] is true and
    /// [`Error::tls_problem`] says why.
    pub async fn connect_tls(
        &self,
        host: &Host,
        port: u16,
        trust: &Trust,
    ) -> Result<TlsStream<TcpStream>, Error> {
        self.connect_tls_with(host, port, trust.config_without_alpn()).await
    }

    /// Opens a UDP socket that is connected to the host.
    ///
    /// The socket sends only there and receives only from there. It reports when nothing listens
    /// there. If a name has several addresses, the guard takes the first whose family this machine
    /// has.
    ///
    /// # Errors
    ///
    /// As [`Guard::connect`]. Nothing is sent, so a port on which nothing listens is not an error
    /// yet.
    pub async fn connect_udp(&self, host: &Host, port: u16) -> Result<UdpSocket, Error> {
        Attempt::new(self, host, port).connect_udp().await
    }

    pub(crate) async fn connect_tls_with(
        &self,
        host: &Host,
        port: u16,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let attempt = Attempt::new(self, host, port);
        let stream = attempt.connect().await?;
        // Speeds up the handshake. A failure costs only time.
        let _ = stream.set_nodelay(true);
        attempt.shake_hands(stream, config).await
    }
}

/// Addresses that the policy allows. Nothing else is ever dialed.
enum Checked {
    One(SocketAddr),
    /// The several addresses of a name.
    Answers(Vec<SocketAddr>),
}

struct Attempt<'a> {
    guard: &'a Guard,
    host: &'a Host,
    port: u16,
    deadline: Instant,
}

impl<'a> Attempt<'a> {
    fn new(guard: &'a Guard, host: &'a Host, port: u16) -> Self {
        let deadline = Instant::now() + guard.connect_timeout();
        Self { guard, host, port, deadline }
    }

    async fn connect(&self) -> Result<TcpStream, Error> {
        let checked = self.checked().await?;
        self.guard.enter(Stage::Connect);
        let connected = match checked {
            Checked::One(address) => self.within(Stage::Connect, open::tcp(address)).await?,
            Checked::Answers(addresses) => {
                let mut failure = None;
                let race = race::tcp(&addresses, &mut failure);
                // The error of one address says more than the silence of the others.
                match (timeout_at(self.deadline, race).await, failure) {
                    (Ok(stream), _) => stream,
                    (Err(_), Some(source)) => Err(source),
                    (Err(_), None) => return Err(self.timed_out(Stage::Connect)),
                }
            }
        };
        connected.map_err(|source| self.unreachable(source))
    }

    async fn connect_udp(&self) -> Result<UdpSocket, Error> {
        let addresses = match self.checked().await? {
            Checked::One(address) => vec![address],
            Checked::Answers(addresses) => addresses,
        };
        self.guard.enter(Stage::Connect);
        let mut failure = None;
        for address in addresses {
            match open::udp(address).await {
                Ok(socket) => return Ok(socket),
                Err(source) => failure = failure.or(Some(source)),
            }
        }
        Err(match failure {
            Some(source) => self.unreachable(source),
            None => Kind::NoAddress { at: self.at() }.into(),
        })
    }

    async fn checked(&self) -> Result<Checked, Error> {
        let Some(name) = self.host.as_name() else {
            self.guard.enter(Stage::Policy);
            return match self.host.as_ip() {
                Some(address) => self.check(address).map(Checked::One),
                None => Err(Kind::NoAddress { at: self.at() }.into()),
            };
        };
        (self.guard.policy().check_name(name)).map_err(|denial| self.refuse(denial))?;
        self.guard.enter(Stage::Resolve);
        let resolving = self.guard.resolver().resolve(name, self.port);
        let answers = self
            .within(Stage::Resolve, resolving)
            .await?
            .map_err(|source| Kind::Resolve { at: self.at(), source })?;
        if answers.is_empty() {
            return Err(Kind::NoAddress { at: self.at() }.into());
        }
        self.guard.enter(Stage::Policy);
        // All before the first is dialed: a name with one denied answer is not trusted at all.
        let checked = answers
            .into_iter()
            .map(|address| self.check(address))
            .collect::<Result<Vec<_>, _>>()?;
        Ok(match checked[..] {
            [only] => Checked::One(only),
            _ => Checked::Answers(checked),
        })
    }

    fn check(&self, address: IpAddr) -> Result<SocketAddr, Error> {
        match self.guard.policy().check(address) {
            Ok(()) => Ok(SocketAddr::new(address, self.port)),
            Err(denial) => Err(self.refuse(denial)),
        }
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let name = match self.host.as_name() {
            Some(name) => ServerName::try_from(name.to_owned()).ok(),
            None => self.host.as_ip().map(ServerName::from),
        }
        .ok_or_else(|| Kind::ServerName { at: self.at() })?;
        self.guard.enter(Stage::Tls);
        let handshake = TlsConnector::from(config).connect(name, stream);
        let limit = self.guard.handshake_timeout();
        let (shaken, certificate) =
            timeout(limit, observe(handshake)).await.map_err(|_| self.timed_out(Stage::Tls))?;
        shaken.map_err(|source| {
            Kind::Handshake {
                at: self.at(),
                problem: TlsProblem::of_handshake(&source, certificate),
                source,
            }
            .into()
        })
    }

    async fn within<T>(&self, stage: Stage, work: impl Future<Output = T>) -> Result<T, Error> {
        let mut work = pin!(work);
        if let Some(done) = for_one_turn(work.as_mut()).await {
            return Ok(done);
        }
        let done = timeout_at(self.deadline, work).await;
        done.map_err(|_| self.timed_out(stage))
    }

    fn timed_out(&self, stage: Stage) -> Error {
        let after = match stage {
            Stage::Tls => self.guard.handshake_timeout(),
            _ => self.guard.connect_timeout(),
        };
        Kind::TimedOut { at: self.at(), stage, after }.into()
    }

    fn unreachable(&self, source: io::Error) -> Error {
        Kind::Connect { at: self.at(), source }.into()
    }

    fn refuse(&self, denial: Denial) -> Error {
        self.guard.record(denial, self.host, self.port);
        Kind::Denied { at: self.at(), denial }.into()
    }

    /// The destination, as configured.
    fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}

/// The outcome, if it is ready after the runtime has looked for I/O once.
///
/// A connect on this host is, so it needs no timer. The timer would cost as much as all other work
/// of the guard.
async fn for_one_turn<F: Future>(mut work: Pin<&mut F>) -> Option<F::Output> {
    let mut turn = pin!(tokio::task::yield_now());
    poll_fn(|cx| match work.as_mut().poll(cx) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => turn.as_mut().poll(cx).map(|()| None),
    })
    .await
}
