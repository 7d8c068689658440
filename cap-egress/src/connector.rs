//! The guard as a connector for hyper and tonic: a tower `Service` from a URI to a stream.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::Uri;
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use tower_service::Service;

use crate::error::Kind;
use crate::{Error, Guard, Host, Stream, Trust};

/// Connects HTTP clients through a [`Guard`].
///
/// The scheme `http` gives a plain stream (default port 80), and `https` a TLS stream (default port
/// 443). Any other scheme is an error.
///
/// A connector takes no proxy from the environment. A connector cannot see redirects, so use a
/// client that follows none.
#[derive(Clone)]
pub struct Connector {
    guard: Guard,
    trust: Trust,
    tls: Arc<ClientConfig>,
}

impl Connector {
    /// A connector that offers HTTP/1.1.
    pub fn new(guard: Guard, trust: Trust) -> Self {
        let tls = trust.client_config(&[b"http/1.1"]);
        Self { guard, trust, tls }
    }

    /// Offers these protocols over TLS instead, most preferred first (RFC 7301): `b"h2"` for gRPC.
    #[must_use]
    pub fn with_alpn(mut self, alpn: &[&[u8]]) -> Self {
        self.tls = self.trust.client_config(alpn);
        self
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector")
            .field("guard", &self.guard)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Stream>;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let Self { guard, tls, .. } = self.clone();
        Box::pin(async move {
            let Destination { scheme, host, port } = Destination::of(&uri)?;
            let stream = match scheme {
                Scheme::Http => {
                    let stream = guard.connect(&host, port).await?;
                    // Speeds up a request, which is written whole. A failure costs only time.
                    let _ = stream.set_nodelay(true);
                    Stream::Plain(stream)
                }
                Scheme::Https => {
                    Stream::Tls(Box::new(guard.connect_tls_with(&host, port, tls).await?))
                }
            };
            Ok(TokioIo::new(stream))
        })
    }
}

enum Scheme {
    Http,
    Https,
}

struct Destination {
    scheme: Scheme,
    host: Host,
    port: u16,
}

impl Destination {
    fn of(uri: &Uri) -> Result<Self, Error> {
        let (scheme, default_port) = match uri.scheme_str() {
            Some(scheme) if scheme.eq_ignore_ascii_case("http") => (Scheme::Http, 80),
            Some(scheme) if scheme.eq_ignore_ascii_case("https") => (Scheme::Https, 443),
            scheme => {
                let scheme = scheme.map(str::to_owned);
                return Err(Kind::Scheme { scheme }.into());
            }
        };
        let written = uri.host().unwrap_or_default();
        let host: Host = written.parse()?;
        let after_host = uri
            .authority()
            .and_then(|authority| authority.as_str().rsplit_once(written))
            .map_or("", |(_, after)| after);
        // Not `Uri::port`: it drops a port that is not a number up to 65535, and the default port
        // would be dialed instead.
        let port = match after_host.strip_prefix(':').unwrap_or_default() {
            "" => default_port,
            digits => digits.parse().map_err(|_| Kind::Port { host: host.to_string() })?,
        };
        Ok(Self { scheme, host, port })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_uri_names_host_and_port_or_is_refused() {
        for (uri, expected) in [
            ("http://relay.example/v1/traces", "relay.example:80"),
            ("HTTPS://Relay.Example", "relay.example:443"),
            ("http://relay.example:4318/", "relay.example:4318"),
            ("http://a:8080", "a:8080"),
            ("http://0x7f.1:4318", "127.0.0.1:4318"),
            ("https://[::1]", "[::1]:443"),
            ("https://[::1]:4318", "[::1]:4318"),
            ("http://user:80@relay.example", "relay.example:80"),
            ("http://relay.example:", "relay.example:80"),
            ("http://relay.example:65536", "refused"),
            ("ftp://relay.example", "refused"),
            ("grpc://relay.example", "refused"),
            ("relay.example:80", "refused"),
            ("/v1/traces", "refused"),
            ("http://1.2.3.4.5", "refused"),
        ] {
            let uri: Uri = uri.parse().unwrap();
            let found = match Destination::of(&uri) {
                Ok(Destination { host, port, .. }) => format!("{host}:{port}"),
                Err(_) => "refused".to_owned(),
            };
            assert_eq!(found, expected, "{uri}");
        }
    }
}
