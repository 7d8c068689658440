//! The error of this crate.

use std::net::SocketAddr;
use std::{fmt, io};

use cap_names::ErrorClass;

/// Telemetry could not be configured, started or changed.
///
/// The message names the place of the mistake and says what to write instead. Secrets are not in
/// it.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("{file}: {source}")]
    Unreadable { file: String, source: io::Error },
    /// `place` is a file with a line and a key, or a variable of the environment.
    #[error("{place}: {what}")]
    Config { place: String, what: String },
    #[error(
        "telemetry.metrics.listen: cannot listen on {address}: {source}; write an address of this host and a free port"
    )]
    Listen { address: SocketAddr, source: io::Error },
    #[error("telemetry was shut down; start it again with Telemetry::start")]
    ShutDown,
    #[error(transparent)]
    Tracing(#[from] cap_tracing::Error),
    #[error(transparent)]
    Syslog(#[from] cap_syslog::Error),
    #[error(transparent)]
    Egress(#[from] cap_egress::Error),
}

impl Error {
    pub(crate) fn config(place: impl Into<String>, what: impl fmt::Display) -> Self {
        Self(Kind::Config { place: place.into(), what: what.to_string() })
    }

    /// The mistake is in a variable of the environment.
    pub(crate) fn environment(variable: &str, what: impl fmt::Display) -> Self {
        Self::config(format!("environment: {variable}"), what)
    }

    /// Whether telemetry was shut down before the call.
    pub fn is_shut_down(&self) -> bool {
        matches!(self.0, Kind::ShutDown)
    }

    /// The class of the error, as in metrics and spans.
    pub fn class(&self) -> ErrorClass {
        match &self.0 {
            Kind::Unreadable { .. } | Kind::Listen { .. } | Kind::Egress(_) => {
                ErrorClass::IoPermanent
            }
            Kind::Config { .. } | Kind::ShutDown => ErrorClass::Validation,
            Kind::Tracing(error) => error.class(),
            Kind::Syslog(error) => error.class(),
        }
    }
}
