//! The address of a collector.

use std::fmt;
use std::str::FromStr;

use http::Uri;
use http::uri::Scheme;

use crate::error::SettingError;

/// The method `Export` of OTLP's trace service, as gRPC writes it.
const EXPORT: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

/// The address of a collector.
///
/// - `http://` and `https://` mean OTLP/HTTP. The default port is 4318, and the default path
///   `/v1/traces`.
/// - `grpc://` and `grpcs://` mean OTLP/gRPC. The default port is 4317, and a path is an error.
///
/// `https://` and `grpcs://` always use TLS.
#[derive(Clone, PartialEq, Eq)]
pub struct Endpoint {
    protocol: Protocol,
    uri: Uri,
}

/// The protocol of the export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// OTLP/HTTP with protobuf.
    Http,
    /// OTLP/gRPC.
    Grpc,
}

impl Endpoint {
    /// The URI that requests go to. Its scheme is that of the transport: `http` or `https`.
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    pub(crate) fn protocol(&self) -> Protocol {
        self.protocol
    }
}

impl Protocol {
    const fn port(self) -> u16 {
        match self {
            Self::Http => 4318,
            Self::Grpc => 4317,
        }
    }
}

impl FromStr for Endpoint {
    type Err = SettingError;

    fn from_str(text: &str) -> Result<Self, SettingError> {
        parse(text).map_err(SettingError::new)
    }
}

/// The error says what is wrong and what to write instead.
fn parse(text: &str) -> Result<Endpoint, String> {
    const SHAPE: &str = "write http://HOST:4318 or grpc://HOST:4317, or with TLS https://HOST:4318 or grpcs://HOST:4317";
    // An error never repeats what may hold a password or a token.
    if text.contains('@') {
        return Err(
            "a user or password in the endpoint would be logged; put credentials into telemetry.tracing.headers"
                .to_owned(),
        );
    }
    if text.contains(['?', '#']) {
        return Err(format!("an endpoint has no query or fragment (?… or #…); {SHAPE}"));
    }
    let uri = text.parse::<Uri>();
    let uri = uri.map_err(|_| format!("{text:?} is not a URL; {SHAPE}"))?;
    let scheme = uri.scheme_str().map(str::to_ascii_lowercase);
    let (protocol, scheme) = match scheme.as_deref() {
        Some("http") => (Protocol::Http, Scheme::HTTP),
        Some("https") => (Protocol::Http, Scheme::HTTPS),
        Some("grpc") => (Protocol::Grpc, Scheme::HTTP),
        Some("grpcs") => (Protocol::Grpc, Scheme::HTTPS),
        Some(other) => return Err(format!("unknown scheme {other}://; {SHAPE}")),
        None => return Err(format!("{text:?} has no scheme; {SHAPE}")),
    };
    let host = uri.host().filter(|host| !host.is_empty());
    let host = host.ok_or_else(|| format!("{text:?} names no host; {SHAPE}"))?;
    // `Uri` drops a port that is not a number, so the text behind the host is parsed here.
    let port = uri
        .authority()
        .and_then(|authority| authority.as_str().strip_prefix(host))
        .unwrap_or_default();
    let port = match port.strip_prefix(':') {
        None => protocol.port(),
        Some(port) => port
            .parse()
            .ok()
            .filter(|port| *port != 0)
            .ok_or_else(|| format!("{port:?} is not a port from 1 to 65535; {SHAPE}"))?,
    };
    host.parse::<cap_egress::Host>().map_err(|error| format!("{error}; {SHAPE}"))?;
    let path = match (protocol, uri.path()) {
        (Protocol::Http, "" | "/") => "/v1/traces",
        (Protocol::Http, path) => path,
        (Protocol::Grpc, "" | "/") => EXPORT,
        (Protocol::Grpc, path) => {
            return Err(format!("a gRPC endpoint has no path, but this one has {path}; {SHAPE}"));
        }
    };
    Uri::builder()
        .scheme(scheme)
        .authority(format!("{host}:{port}"))
        .path_and_query(path)
        .build()
        .map(|uri| Endpoint { protocol, uri })
        .map_err(|error| format!("{text:?}: {error}; {SHAPE}"))
}

/// The endpoint as a setting, with the defaults written out.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let authority = self.uri.authority().map_or("", |at| at.as_str());
        match self.protocol {
            Protocol::Http => self.uri.fmt(f),
            Protocol::Grpc if self.uri.scheme() == Some(&Scheme::HTTPS) => {
                write!(f, "grpcs://{authority}")
            }
            Protocol::Grpc => write!(f, "grpc://{authority}"),
        }
    }
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
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
            ("http://collector/otlp/traces", "http://collector:4318/otlp/traces"),
            ("http://[::1]:9", "http://[::1]:9/v1/traces"),
            ("grpc://collector", "grpc://collector:4317"),
            ("GRPCS://collector:443/", "grpcs://collector:443"),
        ] {
            let endpoint: Endpoint = given.parse().expect(given);
            assert_eq!(endpoint.to_string(), expected);
        }
    }

    #[test]
    fn a_scheme_that_promises_tls_is_tls_on_the_wire() {
        for (given, sent_to) in [
            ("https://collector", "https://collector:4318/v1/traces".to_owned()),
            ("grpcs://collector", format!("https://collector:4317{EXPORT}")),
            ("grpc://collector", format!("http://collector:4317{EXPORT}")),
        ] {
            let endpoint: Endpoint = given.parse().expect(given);
            assert_eq!(endpoint.uri().to_string(), sent_to);
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
            ("grpcs://collector/v1/traces", "has no path"),
            ("grpcs:///v1/traces", "grpcs://HOST:4317"),
        ] {
            let error = given.parse::<Endpoint>().expect_err(given).to_string();
            assert!(error.contains(says), "{given}: {error}");
            assert!(!error.contains("secret"), "{error}");
        }
    }
}
