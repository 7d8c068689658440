//! What can be wrong with a set-up.

use cap_names::ErrorClass;

/// The trace pipe could not be set up. Nothing that the collector does later is an error of this type: see
/// [`Stats`](crate::Stats).
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(#[from] Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error("telemetry.tracing.{key}: {what}")]
    Config { key: &'static str, what: String },
    #[error("the trace export thread could not be started")]
    Thread(#[source] std::io::Error),
}

impl Error {
    /// The setting that is wrong and what is wrong with it, where the error is about one.
    pub fn setting(&self) -> Option<(&'static str, &str)> {
        match &self.0 {
            Kind::Config { key, what } => Some((key, what)),
            Kind::Thread(_) => None,
        }
    }

    /// The kind of failure.
    pub fn class(&self) -> ErrorClass {
        match self.0 {
            Kind::Config { .. } => ErrorClass::Validation,
            Kind::Thread(_) => ErrorClass::IoTransient,
        }
    }
}
