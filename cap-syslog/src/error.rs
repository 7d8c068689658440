//! What can be wrong with a setting, and what can keep a forwarder from starting.

use std::borrow::Cow;

use cap_names::ErrorClass;

/// A value that a setting cannot have. The message says what is wrong and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct SettingError {
    message: Cow<'static, str>,
}

impl SettingError {
    pub(crate) fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { message: message.into() }
    }
}

/// A forwarder did not start or did not take new settings. What a relay does later is no error of
/// this type: see [`Status::last_error`](crate::Status::last_error).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("syslog.tls: {0}")]
    Tls(#[source] cap_egress::Error),
    #[error("the syslog thread did not start")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// Whether the trust store or a certificate of [`Tls`](crate::Tls) is wrong.
    pub fn is_tls(&self) -> bool {
        matches!(self.0, Kind::Tls(_))
    }

    /// The error class.
    pub fn class(&self) -> ErrorClass {
        match self.0 {
            Kind::Tls(_) => ErrorClass::Validation,
            Kind::Thread(_) => ErrorClass::IoTransient,
        }
    }
}
