//! Why a relay is not reached: a class, and words that say what to change.

use std::fmt;
use std::io;

use cap_egress::TlsProblem;
use cap_names::ErrorClass;
use serde::Serialize;

/// Why a relay is not reached, or no longer. The message names hosts as configured, never an
/// address that a name resolved to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RelayError {
    /// The error class.
    #[serde(serialize_with = "class")]
    pub class: ErrorClass,
    /// The problem of TLS, if it is one.
    #[serde(serialize_with = "tls_problem")]
    pub tls: Option<TlsProblem>,
    /// What happened and what to do.
    pub message: String,
    #[serde(skip)]
    cause: Cause,
}

/// What may have caused the error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Cause {
    /// Perhaps an event on the connection.
    Event,
    Other,
}

impl RelayError {
    /// No connection could be made.
    pub(crate) fn connecting(error: &cap_egress::Error) -> Self {
        Self {
            class: error.class(),
            tls: error.tls_problem(),
            message: error.to_string(),
            cause: Cause::Other,
        }
    }

    /// The relay closed the connection.
    pub(crate) fn closed() -> Self {
        Self {
            class: ErrorClass::Network,
            tls: None,
            message: "the relay closed the connection".to_owned(),
            cause: Cause::Event,
        }
    }

    /// An open connection failed.
    pub(crate) fn broken(error: &io::Error) -> Self {
        let tls = TlsProblem::find(error);
        let (message, cause) = match (tls, error.kind()) {
            (Some(problem), _) => (problem.hint().to_owned(), Cause::Other),
            (None, io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe) => (
                "the relay reset the connection; its log says why".to_owned(),
                Cause::Event,
            ),
            (None, io::ErrorKind::TimedOut) => (
                "the relay stopped answering; check the network between, and that it is not overloaded".to_owned(),
                Cause::Other,
            ),
            (None, io::ErrorKind::ConnectionRefused) => (
                "nothing listens on the relay's port; check the port, and that the relay runs".to_owned(),
                Cause::Other,
            ),
            (None, _) => (format!("the connection broke: {error}"), Cause::Other),
        };
        Self { class: tls.map_or(ErrorClass::Network, TlsProblem::class), tls, message, cause }
    }

    /// Whether a relay might do this because of an event on the connection.
    pub(crate) fn may_be_due_to_an_event(&self) -> bool {
        self.cause == Cause::Event
    }
}

impl fmt::Display for RelayError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

pub(crate) fn class<S: serde::Serializer>(
    class: &ErrorClass,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(class.as_str())
}

pub(crate) fn tls_problem<S: serde::Serializer>(
    tls: &Option<TlsProblem>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    tls.map(TlsProblem::as_str).serialize(serializer)
}
