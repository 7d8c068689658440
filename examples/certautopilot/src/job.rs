//! A job as data: what it does, for whom, and in which trace.

use cap_telemetry::metrics::RenewalTrigger;
use cap_telemetry::names::{Actor, closed_enum};
use cap_telemetry::trace::Carrier;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

closed_enum! {
    /// The types of job.
    pub(crate) enum JobKind: "job type" {
        /// Get a certificate for the first time.
        Issue = "issue",
        /// Replace a certificate before it expires.
        Renew = "renew",
        /// Put a certificate where it is used.
        Distribute = "distribute",
        /// Look for certificates that are in use.
        Discover = "discover",
        /// Call the webhook.
        Notify = "notify",
    }
}

/// What a job does. Each job but discovery is about the certificate with this id.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
#[allow(missing_docs)] // see JobKind
pub(crate) enum Task {
    Issue {
        certificate: String,
    },
    Renew {
        certificate: String,
        trigger: Trigger,
    },
    Distribute {
        certificate: String,
    },
    Discover,
    Notify {
        certificate: String,
        what: String,
    },
}

/// The cause of a renewal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    /// The scheduler.
    Scheduled,
    /// A person.
    Manual,
    /// An API key.
    Api,
}

impl From<Trigger> for RenewalTrigger {
    fn from(trigger: Trigger) -> Self {
        match trigger {
            Trigger::Scheduled => Self::Scheduled,
            Trigger::Manual => Self::Manual,
            Trigger::Api => Self::Api,
        }
    }
}

impl Task {
    pub(crate) fn kind(&self) -> JobKind {
        match self {
            Self::Issue { .. } => JobKind::Issue,
            Self::Renew { .. } => JobKind::Renew,
            Self::Distribute { .. } => JobKind::Distribute,
            Self::Discover => JobKind::Discover,
            Self::Notify { .. } => JobKind::Notify,
        }
    }

    /// The certificate it is about.
    pub(crate) fn certificate(&self) -> Option<&str> {
        match self {
            Self::Issue { certificate }
            | Self::Renew { certificate, .. }
            | Self::Distribute { certificate }
            | Self::Notify { certificate, .. } => Some(certificate),
            Self::Discover => None,
        }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) task: Task,
    /// The attempt under way, from 1; 0 before the first.
    pub(crate) attempt: u32,
    /// When it may run.
    pub(crate) run_at: DateTime<Utc>,
    /// The trace context of the request or job that enqueued it.
    pub(crate) carrier: Carrier,
    /// The trace context of the attempt before this one.
    pub(crate) previous: Option<Carrier>,
    pub(crate) project: Option<String>,
    pub(crate) requested_by: Actor,
    /// Why the last attempt failed.
    pub(crate) last_error: Option<String>,
}

impl Job {
    /// A job that is due now.
    pub(crate) fn new(id: String, task: Task, carrier: Carrier, requested_by: Actor) -> Self {
        Self {
            id,
            task,
            attempt: 0,
            run_at: Utc::now(),
            carrier,
            previous: None,
            project: None,
            requested_by,
            last_error: None,
        }
    }
}
