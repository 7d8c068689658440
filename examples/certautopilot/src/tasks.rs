//! What jobs do. A job is run at least once: one that a crash cut off is run again.

use cap_telemetry::metrics::JobResult;

use crate::app::App;
use crate::failure::Failure;
use crate::job::{Job, JobKind};

mod discover;
mod distribute;
mod issue;
mod notify;

pub(crate) use distribute::MODULE;
pub(crate) use notify::{CHANNEL, ENDPOINT};

/// Makes one attempt.
pub(crate) async fn run(app: &App, job: &Job) -> Result<JobResult, Failure> {
    match job.kind {
        JobKind::Issue | JobKind::Renew => issue::issue(app, job).await,
        JobKind::Distribute => distribute::distribute(app, job).await,
        JobKind::Discover => discover::discover(app).await,
        JobKind::Notify => notify::notify(app, job).await,
    }
}
