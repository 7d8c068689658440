//! What jobs do. A job is run at least once: one that a crash cut off is run again.

use std::path::PathBuf;
use std::sync::Arc;

use axum::http::Uri;
use cap_telemetry::Telemetry;
use cap_telemetry::metrics::JobResult;

use crate::acme::Acme;
use crate::certificate::Certificate;
use crate::failure::Failure;
use crate::job::{Job, Task};
use crate::kek::Keyring;
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::store::{Store, certificates};

pub(crate) mod discover;
pub(crate) mod distribute;
pub(crate) mod issue;
pub(crate) mod notify;

/// What jobs need.
#[derive(Debug)]
pub(crate) struct Tasks {
    pub(crate) store: Store,
    pub(crate) telemetry: Telemetry,
    pub(crate) queue: Arc<Queue>,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) acme: Acme,
    pub(crate) outbound: Outbound,
    /// Where certificates are put; `None` for nowhere.
    pub(crate) distribution: Option<PathBuf>,
    /// Where certificates are looked for.
    pub(crate) discovery: Option<PathBuf>,
    /// The webhook to call; `None` for none.
    pub(crate) webhook: Option<Uri>,
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
        let row = self
            .store
            .read("certificates", move |db| certificates::find(db, &wanted));
        row.await?
            .ok_or_else(|| Failure::invalid(format!("there is no certificate {id}")))
    }
}

/// Runs something that blocks.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| Err(Failure::transient(error)))
}
