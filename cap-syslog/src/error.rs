//! What can be wrong with a configuration.

use cap_names::ErrorClass;

/// A forwarder could not be set up, or settings could not be taken over. Nothing that the relay does later is an error of this
/// type: see [`Status`](crate::Status).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("syslog.{key}: {what}")]
    Config { key: &'static str, what: String },
    #[error("syslog.tls: {0}")]
    Tls(#[source] cap_egress::Error),
    #[error("the syslog thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// The setting that is wrong and what is wrong with it, where the error is about one: `port`, `tls`.
    pub fn setting(&self) -> Option<(&'static str, String)> {
        match &self.0 {
            Kind::Config { key, what } => Some((key, what.clone())),
            Kind::Tls(error) => Some(("tls", error.to_string())),
            Kind::Thread(_) => None,
        }
    }

    /// The kind of failure.
    pub fn class(&self) -> ErrorClass {
        match self.0 {
            Kind::Config { .. } | Kind::Tls(_) => ErrorClass::Validation,
            Kind::Thread(_) => ErrorClass::IoTransient,
        }
    }
}
