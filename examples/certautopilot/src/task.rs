//! What a job does, as data.

use cap_telemetry::names::closed_enum;
use serde::{Deserialize, Serialize};

closed_enum! {
    /// The types of job there are.
    pub enum JobKind: "job type" {
        /// Get a certificate for the first time.
        Issue = "issue",
        /// Replace a certificate before it expires.
        Renew = "renew",
        /// Put a certificate where it is used.
        Distribute = "distribute",
        /// Look for certificates that are in use.
        Discover = "discover",
        /// Tell somebody.
        Notify = "notify",
    }
}

/// A job's payload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Task {
    /// [`JobKind::Issue`].
    Issue {
        /// The certificate's id.
        certificate: String,
    },
    /// [`JobKind::Renew`].
    Renew {
        /// The certificate's id.
        certificate: String,
        /// What set it off.
        trigger: Trigger,
    },
    /// [`JobKind::Distribute`].
    Distribute {
        /// The certificate's id.
        certificate: String,
    },
    /// [`JobKind::Discover`].
    Discover,
    /// [`JobKind::Notify`].
    Notify {
        /// The certificate's id.
        certificate: String,
        /// What happened to it.
        what: String,
    },
}

/// What set off a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The scheduler.
    Scheduled,
    /// A person.
    Manual,
    /// An API key.
    Api,
}

impl Task {
    /// Its type.
    pub fn kind(&self) -> JobKind {
        match self {
            Task::Issue { .. } => JobKind::Issue,
            Task::Renew { .. } => JobKind::Renew,
            Task::Distribute { .. } => JobKind::Distribute,
            Task::Discover => JobKind::Discover,
            Task::Notify { .. } => JobKind::Notify,
        }
    }

    /// The certificate it is about.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Task::Issue { certificate }
            | Task::Renew { certificate, .. }
            | Task::Distribute { certificate }
            | Task::Notify { certificate, .. } => Some(certificate),
            Task::Discover => None,
        }
    }
}
