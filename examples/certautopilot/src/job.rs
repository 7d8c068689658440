//! A job as data: what it does, for whom, and in which trace.

use cap_telemetry::metrics::RenewalTrigger;
use cap_telemetry::names::{Actor, closed_enum};
use cap_telemetry::trace::Carrier;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

closed_enum! {
    /// The types of job.
    pub enum JobKind: "job type" {
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
pub enum Task {
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
pub enum Trigger {
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
    /// Its type.
    pub fn kind(&self) -> JobKind {
        match self {
            Self::Issue { .. } => JobKind::Issue,
            Self::Renew { .. } => JobKind::Renew,
            Self::Distribute { .. } => JobKind::Distribute,
            Self::Discover => JobKind::Discover,
            Self::Notify { .. } => JobKind::Notify,
        }
    }

    /// The certificate it is about.
    pub fn certificate(&self) -> Option<&str> {
        match self {
            Self::Issue { certificate }
            | Self::Renew { certificate, .. }
            | Self::Distribute { certificate }
            | Self::Notify { certificate, .. } => Some(certificate),
            Self::Discover => None,
        }
    }
}

/// A job.
#[derive(Clone, Debug)]
pub struct Job {
    /// Its id.
    pub id: String,
    /// What it does.
    pub task: Task,
    /// The attempt under way, from 1; 0 before the first.
    pub attempt: u32,
    /// When it may run.
    pub run_at: DateTime<Utc>,
    /// The trace context of the request or job that enqueued it.
    pub carrier: Carrier,
    /// The trace context of the attempt before this one.
    pub previous: Option<Carrier>,
    /// The project it belongs to.
    pub project: Option<String>,
    /// Who asked for it.
    pub requested_by: Actor,
    /// Why the last attempt failed.
    pub last_error: Option<String>,
}

impl Job {
    /// A job that is due now.
    pub fn new(id: String, task: Task, carrier: Carrier, requested_by: Actor) -> Self {
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
