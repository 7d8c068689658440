//! A real ACME server, Pebble, with its own DNS server, behind a front that can refuse requests.

use super::Process;
use super::process::accepts;
use crate::authority::{Authority, ServerCertificate};
use crate::loopback::free_addr;
use crate::server::{ANY_PORT, Server};
use crate::tls::{self, Security};
use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream};

/// How long each of its programs may take to start.
const START: Duration = Duration::from_secs(30);
/// Of the nonces that are right, Pebble refuses so many in a hundred.
const NONCES_REFUSED: u32 = 20;

/// A running Pebble with its DNS server.
#[derive(Debug)]
pub struct Pebble {
    pebble: Process,
    dns: Process,
    dns_api: SocketAddr,
    front: Server,
    refusals: Arc<AtomicU32>,
    dir: TempDir,
}

impl Pebble {
    /// Starts `pebble` and `pebble-challtestsrv` (from [`require!`](crate::require)).
    ///
    /// # Errors
    /// When one does not become ready; the message has the end of its log.
    pub async fn start(pebble: &Path, dns: &Path) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let authority = Arc::new(Authority::new());
        let identity = authority.server(ServerCertificate::Good);
        for (name, pem) in [
            ("ca.pem", authority.ca_pem()),
            ("cert.pem", identity.chain_pem.clone()),
            ("key.pem", identity.key_pem.clone()),
        ] {
            std::fs::write(dir.path().join(name), pem)?;
        }

        let (dns_addr, dns_api) = (free_addr()?, free_addr()?);
        let args = [
            format!("-dnsserver={dns_addr}"),
            format!("-management={dns_api}"),
            "-http01=".to_owned(),
            "-https01=".to_owned(),
            "-doh=".to_owned(),
            "-tlsalpn01=".to_owned(),
        ];
        let mut dns = Process::start(dns, &args, dir.path())?;
        let ready = async || accepts(dns_api).await && accepts(dns_addr).await;
        dns.ready(ready, START).await?;

        let (listen, management) = (free_addr()?, free_addr()?);
        let config = json!({ "pebble": {
            "listenAddress": listen.to_string(),
            "managementListenAddress": management.to_string(),
            "certificate": "cert.pem",
            "privateKey": "key.pem",
            "httpPort": 1,
            "tlsPort": 1,
            "retryAfter": { "authz": 1, "order": 1 },
            "keyAlgorithm": "ecdsa",
        }});
        std::fs::write(dir.path().join("pebble.json"), config.to_string())?;
        let args = ["-config", "pebble.json", "-strict", "-dnsserver"].map(str::to_owned);
        let args = [&args[..], &[dns_addr.to_string()]].concat();
        let nonces = NONCES_REFUSED.to_string();
        let env = [("PEBBLE_VA_NOSLEEP", "1"), ("PEBBLE_WFE_NONCEREJECT", &nonces)];
        let mut pebble = Process::start_with(pebble, &args, &env, dir.path())?;
        pebble.ready(async || accepts(listen).await, START).await?;

        let refusals = Arc::new(AtomicU32::new(0));
        let front = front(listen, &authority, Arc::clone(&refusals)).await?;
        Ok(Pebble { pebble, dns, dns_api, front, refusals, dir })
    }

    /// The settings with which the reference service gets its certificates here, with retries.
    pub fn settings(&self) -> Value {
        let mut settings = self.settings_without_dns();
        settings["acme"]["dns_url"] = format!("http://{}", self.dns_api).into();
        settings
    }

    /// The same, and nobody puts a proof where Pebble looks for it.
    pub fn settings_without_dns(&self) -> Value {
        json!({
            "acme": {
                "directory_url": format!("https://{}/dir", self.front.addr()),
                "ca_file": self.dir.path().join("ca.pem"),
            },
            "worker": { "backoff": "20ms", "max_attempts": 5 },
        })
    }

    /// Answers the next signed requests, so many of them, with 503.
    pub fn refuse_next(&self, requests: u32) {
        self.refusals.store(requests, Ordering::Relaxed);
    }

    /// Its log.
    pub fn log(&self) -> String {
        self.pebble.log()
    }

    /// Ends both programs.
    ///
    /// # Errors
    /// When one cannot be signaled.
    pub async fn stop(self) -> io::Result<()> {
        self.front.stop().await;
        self.pebble.stop().await?;
        self.dns.stop().await.map(drop)
    }
}

/// Passes requests on as they are; Pebble makes its URLs of the host that it was asked for.
async fn front(
    pebble: SocketAddr,
    authority: &Arc<Authority>,
    refusals: Arc<AtomicU32>,
) -> io::Result<Server> {
    let identity = authority.server(ServerCertificate::Good);
    let tls = Security::Tls(&identity).acceptor(&[b"http/1.1"]);
    let listener = TcpListener::bind(ANY_PORT).await?;
    let authority = Arc::clone(authority);
    Server::start(listener, tls, move |stream| {
        let (authority, refusals) = (Arc::clone(&authority), Arc::clone(&refusals));
        let answer = service_fn(move |request: Request<Incoming>| {
            let (authority, refusals) = (Arc::clone(&authority), Arc::clone(&refusals));
            async move {
                let one_less = |left: u32| left.checked_sub(1);
                let relaxed = Ordering::Relaxed;
                if request.method() == Method::POST
                    && refusals.fetch_update(relaxed, relaxed, one_less).is_ok()
                {
                    return Ok(refused());
                }
                let passed_on = pass_on(&authority, pebble, request).await;
                Ok::<_, Infallible>(passed_on.unwrap_or_else(|error| {
                    let mut response = Response::new(Full::from(error.to_string()));
                    *response.status_mut() = http::StatusCode::BAD_GATEWAY;
                    response
                }))
            }
        });
        async move {
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
        }
    })
}

#[expect(clippy::disallowed_methods, reason = "on loopback, to a program this process has started")]
async fn pass_on(
    authority: &Authority,
    pebble: SocketAddr,
    request: Request<Incoming>,
) -> io::Result<Response<Full<Bytes>>> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map_err(io::Error::other)?.to_bytes();
    let request = Request::from_parts(head, Full::new(body));
    let stream = TcpStream::connect(pebble).await?;
    let stream = tls::connect(stream, authority, None, &[b"http/1.1"]).await?;
    let handshake = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await;
    let (mut sender, connection) = handshake.map_err(io::Error::other)?;
    let answered = async move {
        let response = sender.send_request(request).await?;
        let (head, body) = response.into_parts();
        Ok(Response::from_parts(head, Full::new(body.collect().await?.to_bytes())))
    };
    let (answered, _) = tokio::join!(answered, connection);
    answered.map_err(|error: hyper::Error| io::Error::other(error))
}

fn refused() -> Response<Full<Bytes>> {
    let problem = json!({
        "type": "urn:ietf:params:acme:error:serverInternal",
        "detail": "this fault was asked for",
        "status": 503,
    });
    let mut response = Response::new(Full::from(problem.to_string()));
    *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
    response
}
