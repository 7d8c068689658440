//! What can be wrong with a configuration or a start.

use cap_names::ErrorClass;

/// Telemetry could not be set up. The message says where the mistake is and what to write instead.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("{file}: {source}")]
    Unreadable {
        file: String,
        source: std::io::Error,
    },
    /// `place` is a file with its line, or the environment.
    #[error("{place}: {what}")]
    Config { place: String, what: String },
    #[error(
        "telemetry.metrics.listen: {address} cannot be listened on: {source}; choose an address of this host and a free port"
    )]
    Listen {
        address: std::net::SocketAddr,
        source: std::io::Error,
    },
    #[error("telemetry has been shut down; start it anew")]
    ShutDown,
    #[error(transparent)]
    Tracing(#[from] cap_tracing::Error),
    #[error(transparent)]
    Syslog(#[from] cap_syslog::Error),
    #[error(transparent)]
    Egress(#[from] cap_egress::Error),
}

impl Error {
    pub(crate) fn config(place: impl Into<String>, what: impl Into<String>) -> Self {
        Error(Kind::Config {
            place: place.into(),
            what: what.into(),
        })
    }

    /// Whether it came after a shutdown: start anew.
    pub fn is_shut_down(&self) -> bool {
        matches!(self.0, Kind::ShutDown)
    }

    /// The kind of failure.
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
