//! What can go wrong while the pipeline is set up.

use std::borrow::Cow;
use std::io;

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

/// The pipeline did not start. Whatever the collector does later is in
/// [`Stats`](crate::Stats).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("the system started no thread for the trace export")]
    Thread(#[source] io::Error),
}

impl Error {
    /// The class of the failure.
    pub fn class(&self) -> ErrorClass {
        match self.0 {
            Kind::Thread(_) => ErrorClass::IoTransient,
        }
    }
}
