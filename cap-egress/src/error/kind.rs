//! The kinds of error, with their messages and advice.

use std::io;
use std::time::Duration;

use crate::identity::IdentityProblem;
use crate::trust::pem::PemProblem;
use crate::{Denial, Stage, TlsProblem};

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the host{} cannot be used: {problem}", quoted(.written))]
    Host { written: String, problem: &'static str },
    #[error("the NAT64 prefix {written:?} cannot be used: {problem}")]
    Nat64Prefix { written: String, problem: &'static str },
    #[error("the port after {host} is not a number up to 65535")]
    Port { host: String },
    #[error("{} cannot be connected to; write http:// or https://", scheme_of(.scheme))]
    Scheme { scheme: Option<String> },
    #[error("{at} could not be resolved; check the name, and the DNS of this host")]
    Resolve { at: String, source: io::Error },
    #[error("{at} has no address; check the name, and the DNS of this host")]
    NoAddress { at: String },
    #[error("the egress policy refuses {at}: {denial}")]
    Denied { at: String, denial: Denial },
    #[error("{at} cannot be reached: {}", connect_hint(.source))]
    Connect { at: String, source: io::Error },
    #[error("{at} timed out after {after:?}: {}", timeout_hint(*.stage))]
    TimedOut { at: String, stage: Stage, after: Duration },
    #[error("the TLS handshake with {at} failed: {}", .problem.hint())]
    Handshake { at: String, problem: TlsProblem, source: io::Error },
    #[error(
        "TLS cannot verify {at}, because no certificate can contain this host; use another of its names"
    )]
    ServerName { at: String },
    #[error("the CA setting {0}")]
    Ca(PemProblem),
    #[error(transparent)]
    Identity(IdentityProblem),
    #[error(
        "the system's trust store has no usable certificate; check its files, or SSL_CERT_FILE and SSL_CERT_DIR"
    )]
    SystemTrust { source: Option<rustls_native_certs::Error> },
    #[error("TLS cannot be set up; see the cause")]
    TlsSetup { source: rustls::Error },
}

/// The host as written, unless it may contain a password.
fn quoted(written: &str) -> String {
    if written.contains(['@', '\u{ff20}', '\u{fe6b}']) || written.contains("%40") {
        return String::new();
    }
    let start: String = written.chars().take(80).collect();
    format!(" {start:?}")
}

fn scheme_of(scheme: &Option<String>) -> String {
    match scheme {
        Some(scheme) => format!("a URI that starts with {scheme}://"),
        None => "a URI without a scheme".to_owned(),
    }
}

fn connect_hint(source: &io::Error) -> String {
    let hint = match source.kind() {
        io::ErrorKind::ConnectionRefused => {
            "nothing accepts connections there; check the port, and that the server runs"
        }
        io::ErrorKind::HostUnreachable | io::ErrorKind::NetworkUnreachable => {
            "there is no route to it; check the network"
        }
        io::ErrorKind::TimedOut => {
            "it does not answer; check the address, and firewalls on the way"
        }
        io::ErrorKind::PermissionDenied => "this host forbids the connection; check its firewall",
        _ => return source.to_string(),
    };
    hint.to_owned()
}

fn timeout_hint(stage: Stage) -> &'static str {
    match stage {
        Stage::Resolve => "the name was not resolved; check the DNS of this host",
        Stage::Tls => {
            "the TLS handshake did not end; check that the server speaks TLS on this port"
        }
        _ => "it does not answer; check the address, and firewalls on the way",
    }
}
