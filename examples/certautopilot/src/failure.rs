//! Why a piece of work failed, and whether another attempt may help.

use std::io;
use std::path::Path;
use std::time::Duration;

use cap_telemetry::names::ErrorClass;

use crate::{kek, store};

/// A failure with the class that metrics, spans and audit events share.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub(crate) struct Failure {
    pub(crate) class: ErrorClass,
    /// What went wrong. It holds no secrets.
    pub(crate) message: String,
    /// How long the peer asked to wait.
    pub(crate) retry_after: Option<Duration>,
    /// The type of the problem document in the peer's answer.
    pub(crate) problem: Option<String>,
}

impl Failure {
    pub(crate) fn new(class: ErrorClass, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { class, message, retry_after: None, problem: None }
    }

    /// Input that cannot work, however often it is tried.
    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(ErrorClass::Validation, message)
    }

    /// A failure that another attempt may not meet.
    pub(crate) fn transient(error: impl ToString) -> Self {
        Self::new(ErrorClass::IoTransient, error.to_string())
    }

    /// A failure at a file or directory.
    pub(crate) fn at(path: &Path, error: &io::Error) -> Self {
        let class = match error.kind() {
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorClass::Auth,
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => ErrorClass::IoPermanent,
            _ => ErrorClass::IoTransient,
        };
        Self::new(class, format!("{}: {error}", path.display()))
    }

    /// Whether another attempt may end differently.
    pub(crate) fn may_pass(&self) -> bool {
        matches!(self.class, ErrorClass::Network | ErrorClass::IoTransient)
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Self::transient(error)
    }
}

impl From<kek::Error> for Failure {
    fn from(error: kek::Error) -> Self {
        match error {
            kek::Error::Corrupt(_) => Self::new(ErrorClass::IoPermanent, error.to_string()),
            // A rotation may have moved the key between reading and opening it.
            _ => Self::transient(error),
        }
    }
}
