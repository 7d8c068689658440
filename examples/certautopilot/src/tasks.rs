//! What jobs do. A job is run at least once: one that was cut off by a crash is run again.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::Uri;
use cap_telemetry::Telemetry;
use cap_telemetry::metrics::JobResult;

use crate::acme::Acme;
use crate::failure::Failure;
use crate::kek::Keyring;
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::store::Store;
use crate::store::certificates::{self, Certificate};
use crate::store::jobs::Job;
use crate::task::Task;

mod discover;
pub(crate) mod distribute;
mod issue;
pub(crate) mod notify;

/// What jobs need.
#[derive(Debug)]
pub(crate) struct Tasks {
    /// Where certificates are.
    pub store: Store,
    /// Where to say what happened.
    pub telemetry: Telemetry,
    /// Where follow-up jobs go.
    pub queue: Arc<Queue>,
    /// What seals private keys.
    pub keyring: Arc<Keyring>,
    /// Who issues.
    pub acme: Acme,
    /// How to call a webhook.
    pub outbound: Outbound,
    /// Where certificates are put; `None` to put them nowhere.
    pub distribution: Option<PathBuf>,
    /// Where certificates are looked for.
    pub discovery: Option<PathBuf>,
    /// Who is told; `None` for nobody.
    pub webhook: Option<Uri>,
}

impl Tasks {
    /// Makes one attempt.
    ///
    /// # Errors
    /// What kept the job from being done.
    pub(crate) async fn run(&self, job: &Job) -> Result<JobResult, Failure> {
        match &job.task {
            Task::Issue { certificate } => self.issue(job, certificate, None).await,
            Task::Renew {
                certificate,
                trigger,
            } => self.issue(job, certificate, Some(*trigger)).await,
            Task::Distribute { certificate } => self.distribute(certificate).await,
            Task::Discover => self.discover().await,
            Task::Notify { certificate, what } => self.notify(certificate, what).await,
        }
    }

    async fn certificate(&self, id: &str) -> Result<Certificate, Failure> {
        let wanted = id.to_owned();
        self.store
            .read("certificates", move |db| {
                certificates::find(db, &wanted)?
                    .ok_or_else(|| Failure::invalid(format!("there is no certificate {wanted}")))
            })
            .await
    }
}
