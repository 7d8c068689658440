//! Why there is no connection, at which stage, and what to do about it.

use std::error::Error as StdError;
use std::io;

use cap_names::ErrorClass;

use crate::causes::causes;
use crate::{Denial, Stage, TlsProblem};

mod kind;

pub(crate) use kind::Kind;

/// Why there is no connection, or why a host, prefix, certificate or key was refused.
///
/// The message names the host and port as configured, and never an address that a name resolved to.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(Box<Kind>);

impl Error {
    /// How far the connect came.
    pub fn stage(&self) -> Stage {
        match &*self.0 {
            Kind::Host { .. }
            | Kind::Nat64Prefix { .. }
            | Kind::Port { .. }
            | Kind::Scheme { .. } => Stage::Configuration,
            Kind::Resolve { .. } | Kind::NoAddress { .. } => Stage::Resolve,
            Kind::Denied { .. } => Stage::Policy,
            Kind::Connect { .. } => Stage::Connect,
            Kind::TimedOut { stage, .. } => *stage,
            Kind::Handshake { .. }
            | Kind::ServerName { .. }
            | Kind::Ca(_)
            | Kind::Identity(_)
            | Kind::SystemTrust { .. }
            | Kind::TlsSetup { .. } => Stage::Tls,
        }
    }

    /// The error class.
    ///
    /// `Validation`: the configuration is wrong, or the policy refused the connection. `Auth`: the
    /// two sides do not trust each other's certificates. `Network`: the peer was not reached.
    /// `IoPermanent`: TLS cannot be set up on this host.
    pub fn class(&self) -> ErrorClass {
        match &*self.0 {
            Kind::Host { .. }
            | Kind::Nat64Prefix { .. }
            | Kind::Port { .. }
            | Kind::Scheme { .. }
            | Kind::ServerName { .. }
            | Kind::Denied { .. }
            | Kind::Ca(_)
            | Kind::Identity(_) => ErrorClass::Validation,
            Kind::Resolve { .. }
            | Kind::NoAddress { .. }
            | Kind::Connect { .. }
            | Kind::TimedOut { .. } => ErrorClass::Network,
            Kind::Handshake { problem, .. } => problem.class(),
            Kind::SystemTrust { .. } | Kind::TlsSetup { .. } => ErrorClass::IoPermanent,
        }
    }

    /// Whether the private key of a [`ClientIdentity`](crate::ClientIdentity) is wrong, and not its
    /// certificates.
    pub fn is_client_key(&self) -> bool {
        matches!(&*self.0, Kind::Identity(problem) if problem.is_key())
    }

    /// Whether the policy refused the host or one of its addresses.
    pub fn is_denied(&self) -> bool {
        self.denial().is_some()
    }

    /// Why the policy refused, if it did.
    pub fn denial(&self) -> Option<Denial> {
        match &*self.0 {
            Kind::Denied { denial, .. } => Some(*denial),
            _ => None,
        }
    }

    /// Whether the guard's or the system's time ran out, at any stage.
    pub fn is_timeout(&self) -> bool {
        match &*self.0 {
            Kind::TimedOut { .. } => true,
            Kind::Resolve { source, .. }
            | Kind::Connect { source, .. }
            | Kind::Handshake { source, .. } => source.kind() == io::ErrorKind::TimedOut,
            _ => false,
        }
    }

    /// What went wrong with TLS, if the handshake failed.
    ///
    /// A server that requires a client certificate may say so only after the handshake. Then
    /// [`TlsProblem::find`] finds the problem in the error of a read or write.
    pub fn tls_problem(&self) -> Option<TlsProblem> {
        match &*self.0 {
            Kind::Handshake { problem, .. } => Some(*problem),
            _ => None,
        }
    }

    /// Whether trust could not be loaded, or the TLS handshake failed or took too long.
    pub fn is_tls(&self) -> bool {
        self.stage() == Stage::Tls
    }
}

impl From<Kind> for Error {
    fn from(kind: Kind) -> Self {
        Self(Box::new(kind))
    }
}

/// Here and not beside the type, because the search reads [`Error`], which holds a `TlsProblem`.
impl TlsProblem {
    /// Looks for a TLS problem in an error and its sources, including those inside an
    /// [`io::Error`].
    ///
    /// `None` if the error is not about TLS, such as a reset of the connection after the handshake.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        causes(error)
            .find_map(|error| match error.downcast_ref::<Error>() {
                Some(known) => Some(known.tls_problem()),
                None => error.downcast_ref().map(|tls| Some(Self::of(tls))),
            })
            .flatten()
    }
}
