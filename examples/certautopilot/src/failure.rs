//! Why a piece of work failed, and whether trying again may help.

use std::time::Duration;

use cap_telemetry::names::ErrorClass;

use crate::{kek, store};

/// A failure with the class that metrics, spans and audit events agree on.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    /// Its kind.
    pub class: ErrorClass,
    /// What went wrong. It holds no secrets.
    pub message: String,
    /// How long the peer asked to be left alone.
    pub retry_after: Option<Duration>,
    /// The type of the problem document that the peer answered with.
    pub problem: Option<String>,
}

impl Failure {
    /// A failure of this class.
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        Failure {
            class,
            message: message.into(),
            retry_after: None,
            problem: None,
        }
    }

    /// Input that cannot work, however often it is tried.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Validation, message)
    }

    /// Whether another attempt may end differently.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.class, ErrorClass::Network | ErrorClass::IoTransient)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Failure::new(ErrorClass::IoTransient, error.to_string())
    }
}

impl From<kek::Error> for Failure {
    fn from(error: kek::Error) -> Self {
        let class = match error {
            // A rotation may have moved the key on between reading and opening it.
            kek::Error::NotLoaded(_) | kek::Error::Unavailable(..) | kek::Error::NoRandomness => {
                ErrorClass::IoTransient
            }
            kek::Error::Corrupt(_) => ErrorClass::IoPermanent,
        };
        Failure::new(class, error.to_string())
    }
}
