//! Where spans go.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::{PathAndQuery, Scheme};

/// A collector's address.
///
/// `http://` and `https://` mean OTLP/HTTP: port 4318 unless one is written, and `/v1/traces` unless a path is. `https://` is
/// always TLS. `grpc://` and `grpcs://` (OTLP/gRPC, port 4317) are recognised, and refused in this version.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint(Uri);

impl Endpoint {
    const PORT: u16 = 4318;

    /// Scheme, host, port and path that requests go to.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

impl FromStr for Endpoint {
    /// What is wrong with it, and what to write instead.
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        const SHAPE: &str = "write http://HOST:4318 or https://HOST:4318";
        // What may hold a password or a token is never repeated.
        if s.contains('@') {
            return Err("a user or password in the endpoint would be logged; put credentials into telemetry.tracing.headers".to_owned());
        }
        if s.contains(['?', '#']) {
            return Err(format!(
                "an endpoint has no query or fragment (?… or #…); {SHAPE}"
            ));
        }
        let uri: Uri = s
            .parse()
            .map_err(|_| format!("{s:?} is not a URL; {SHAPE}"))?;
        let scheme = match uri.scheme_str() {
            Some("http") => Scheme::HTTP,
            Some("https") => Scheme::HTTPS,
            Some(grpc @ ("grpc" | "grpcs")) => {
                let instead = if grpc == "grpc" { "http" } else { "https" };
                return Err(format!(
                    "OTLP/gRPC ({grpc}://) is not supported in this version; send OTLP/HTTP to {instead}://HOST:4318"
                ));
            }
            Some(other) => return Err(format!("unknown scheme {other}://; {SHAPE}")),
            None => return Err(format!("{s:?} has no scheme; {SHAPE}")),
        };
        let host = uri.host().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| format!("{s:?} names no host; {SHAPE}"))?;
        // `Uri` forgets a port that is not one, so what follows the host is read again.
        let port = uri
            .authority()
            .and_then(|authority| authority.as_str().strip_prefix(host))
            .unwrap_or_default();
        let port = match port.strip_prefix(':') {
            None => Self::PORT,
            Some(port) => port
                .parse()
                .ok()
                .filter(|port| *port != 0)
                .ok_or_else(|| format!("{port:?} is not a port from 1 to 65535; {SHAPE}"))?,
        };
        host.parse::<cap_egress::Host>()
            .map_err(|error| format!("{error}; {SHAPE}"))?;
        let path = match uri.path() {
            "" | "/" => "/v1/traces",
            path => path,
        };
        Uri::builder()
            .scheme(scheme)
            .authority(format!("{host}:{port}"))
            .path_and_query(PathAndQuery::from_str(path).map_err(|error| error.to_string())?)
            .build()
            .map(Endpoint)
            .map_err(|error| format!("{s:?}: {error}; {SHAPE}"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn port_and_path_are_filled_in() {
        for (given, expected) in [
            ("http://collector", "http://collector:4318/v1/traces"),
            ("http://collector:4318/", "http://collector:4318/v1/traces"),
            ("https://collector:443", "https://collector:443/v1/traces"),
            (
                "http://collector/otlp/traces",
                "http://collector:4318/otlp/traces",
            ),
            ("http://[::1]:9", "http://[::1]:9/v1/traces"),
        ] {
            let endpoint: Endpoint = given.parse().expect(given);
            assert_eq!(endpoint.to_string(), expected);
        }
    }

    #[test]
    fn what_cannot_work_is_refused_and_says_what_to_write() {
        for (given, says) in [
            ("collector:4318", "http://HOST:4318"),
            ("ftp://collector", "unknown scheme ftp"),
            ("http://", "http://HOST:4318"),
            ("http:///v1/traces", "http://HOST:4318"),
            ("http://user:secret@collector", "telemetry.tracing.headers"),
            ("http://collector?x=secret", "no query"),
            ("http://collector#secret", "no query"),
            ("user:secret@collector:4318", "telemetry.tracing.headers"),
            ("//user:secret@collector", "telemetry.tracing.headers"),
            ("http://coll ector?api_key=secret", "no query"),
            ("http://collector:65536", "\"65536\" is not a port"),
            ("http://collector:0", "is not a port"),
            ("http://collector:", "is not a port"),
            ("grpcs://collector", "https://HOST:4318"),
        ] {
            let error = given.parse::<Endpoint>().expect_err(given);
            assert!(error.contains(says), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
