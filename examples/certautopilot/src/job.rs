//! A job as data: what it does, for whom, and in which trace.

use cap_telemetry::names::{Actor, closed_enum};
use cap_telemetry::trace::Carrier;
use chrono::{DateTime, Utc};

use crate::ids;

closed_enum! {
    pub(crate) enum JobKind: "job type" {
        /// Get a certificate for the first time.
        Issue = "issue",
        /// Replace a certificate before it expires.
        Renew = "renew",
        /// Put a certificate where it is used.
        Distribute = "distribute",
        /// Look for certificates that are in use.
        Discover = "discover",
        Notify = "notify",
    }
}

#[derive(Clone)]
pub(crate) struct Job {
    pub(crate) id: String,
    pub(crate) kind: JobKind,
    /// The certificate that it is about; none for a discovery.
    pub(crate) certificate: Option<String>,
    pub(crate) project: Option<String>,
    /// What triggered a renewal, or the event that a notification reports.
    pub(crate) detail: Option<String>,
    /// The attempt under way, from 1; 0 before the first.
    pub(crate) attempt: u32,
    pub(crate) run_at: DateTime<Utc>,
    /// The trace context of the request or job that enqueued it.
    pub(crate) carrier: Carrier,
    /// The trace context of the attempt before this one.
    pub(crate) previous: Option<Carrier>,
    pub(crate) requested_by: Actor,
    /// Why the last attempt failed.
    pub(crate) last_error: Option<String>,
}

impl Job {
    /// A job that is due now, and about nothing yet.
    pub(crate) fn new(kind: JobKind, requested_by: &Actor) -> Self {
        Self {
            id: ids::new("job"),
            kind,
            certificate: None,
            project: None,
            detail: None,
            attempt: 0,
            run_at: Utc::now(),
            carrier: Carrier::default(),
            previous: None,
            requested_by: requested_by.clone(),
            last_error: None,
        }
    }

    /// The same about a certificate of a project.
    pub(crate) fn about(mut self, certificate: &str, project: &str) -> Self {
        self.certificate = Some(certificate.to_owned());
        self.project = Some(project.to_owned());
        self
    }

    pub(crate) fn detail(mut self, detail: impl ToString) -> Self {
        self.detail = Some(detail.to_string());
        self
    }
}
