//! One connect, from a host to a stream: judge the name, resolve, judge every answer, dial what was judged, shake
//! hands.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::error::Kind;
use crate::{Denial, Error, Guard, Host, Stage, Trust};

mod open;

use open::open;

impl Guard {
    /// Connects over TCP, with `TCP_NODELAY` set.
    ///
    /// # Errors
    ///
    /// [`Error::stage`] says how far it came. A refusal by the policy ([`Error::is_denied`]) has sent nothing to the
    /// host.
    pub async fn connect(&self, host: &Host, port: u16) -> Result<TcpStream, Error> {
        Attempt::new(self, host, port).connect().await
    }

    /// Connects over TCP and TLS, without ALPN. The certificate must be valid for `host`, be it a name or an address.
    ///
    /// # Errors
    ///
    /// As [`Guard::connect`], and [`Error::is_tls`] where the handshake failed.
    pub async fn connect_tls(
        &self,
        host: &Host,
        port: u16,
        trust: &Trust,
    ) -> Result<TlsStream<TcpStream>, Error> {
        self.connect_tls_with(host, port, trust.config_without_alpn())
            .await
    }

    pub(crate) async fn connect_tls_with(
        &self,
        host: &Host,
        port: u16,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let attempt = Attempt::new(self, host, port);
        let stream = attempt.connect().await?;
        attempt.shake_hands(stream, config).await
    }
}

/// Addresses that the policy allows: the only thing that is ever dialled.
struct Judged(Vec<SocketAddr>);

struct Attempt<'a> {
    guard: &'a Guard,
    host: &'a Host,
    port: u16,
    deadline: Instant,
}

impl<'a> Attempt<'a> {
    fn new(guard: &'a Guard, host: &'a Host, port: u16) -> Self {
        let deadline = Instant::now() + guard.connect_timeout();
        Self {
            guard,
            host,
            port,
            deadline,
        }
    }

    async fn connect(&self) -> Result<TcpStream, Error> {
        let judged = self.judged().await?;
        self.dial(judged).await
    }

    async fn judged(&self) -> Result<Judged, Error> {
        let policy = self.guard.policy();
        let addresses = match self.host.as_name() {
            Some(name) => {
                policy
                    .judge_name(name)
                    .map_err(|denial| self.refuse(denial))?;
                let resolving = self.guard.resolver().resolve(name, self.port);
                let answers = self.within(Stage::Resolve, resolving).await?;
                answers.map_err(|source| Kind::Resolve {
                    at: self.at(),
                    source,
                })?
            }
            None => self.host.as_ip().into_iter().collect(),
        };
        if addresses.is_empty() {
            return Err(Kind::NoAddress { at: self.at() }.into());
        }
        // All of them before the first is dialled: a name with one denied answer is not to be trusted with the others.
        for address in &addresses {
            policy
                .judge(*address)
                .map_err(|denial| self.refuse(denial))?;
        }
        let to_dial = addresses
            .into_iter()
            .map(|address| SocketAddr::new(address, self.port));
        Ok(Judged(to_dial.collect()))
    }

    /// Tries the addresses in order. Each gets an even share of the time that is left, so that one that swallows
    /// packets leaves time for the next; the first failure is the one reported.
    async fn dial(&self, Judged(addresses): Judged) -> Result<TcpStream, Error> {
        let mut failure = None;
        for (tried, address) in addresses.iter().enumerate() {
            let time_left = self.deadline.saturating_duration_since(Instant::now());
            let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
            let error = match timeout(time_left / untried, open(*address)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(source)) => Kind::Connect {
                    at: self.at(),
                    source,
                }
                .into(),
                Err(_) => self.timed_out(Stage::Connect),
            };
            failure.get_or_insert(error);
        }
        Err(failure.unwrap_or_else(|| Kind::NoAddress { at: self.at() }.into()))
    }

    async fn shake_hands(
        &self,
        stream: TcpStream,
        config: Arc<ClientConfig>,
    ) -> Result<TlsStream<TcpStream>, Error> {
        let name = match self.host.as_name() {
            Some(name) => ServerName::try_from(name.to_owned()).ok(),
            None => self.host.as_ip().map(ServerName::from),
        };
        let name = name.ok_or_else(|| Kind::ServerName { at: self.at() })?;
        let handshake = TlsConnector::from(config).connect(name, stream);
        let shaken = self.within(Stage::Tls, handshake).await?;
        shaken.map_err(|source| {
            Kind::Handshake {
                at: self.at(),
                source,
            }
            .into()
        })
    }

    async fn within<T>(&self, stage: Stage, work: impl Future<Output = T>) -> Result<T, Error> {
        let done = timeout_at(self.deadline, work).await;
        done.map_err(|_| self.timed_out(stage))
    }

    fn timed_out(&self, stage: Stage) -> Error {
        let after = self.guard.connect_timeout();
        Kind::TimedOut {
            at: self.at(),
            stage,
            after,
        }
        .into()
    }

    fn refuse(&self, denial: Denial) -> Error {
        self.guard.record(denial, self.host, self.port);
        Kind::Denied {
            at: self.at(),
            denial,
        }
        .into()
    }

    /// Where to, as configured.
    fn at(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }
}
