//! What jobs do. A job is run at least once: one that a crash cut off is run again.

use cap_telemetry::metrics::JobResult;

use crate::app::App;
use crate::failure::Failure;
use crate::job::{Job, Task};

mod discover;
mod distribute;
mod issue;
mod notify;

pub(crate) use distribute::MODULE;
pub(crate) use notify::{CHANNEL, ENDPOINT};

/// Makes one attempt.
pub(crate) async fn run(app: &App, job: &Job) -> Result<JobResult, Failure> {
    match &job.task {
        Task::Issue { certificate } => issue::issue(app, job, certificate, None).await,
        Task::Renew {
            certificate,
            trigger,
        } => issue::issue(app, job, certificate, Some(*trigger)).await,
        Task::Distribute { certificate } => distribute::distribute(app, certificate).await,
        Task::Discover => discover::discover(app).await,
        Task::Notify { certificate, what } => notify::notify(app, certificate, what).await,
    }
}
