//! What jobs do. A job is run at least once: one that a crash cut off is run again.

use std::time::Instant;

use cap_telemetry::metrics::{JobResult, Outcome};
use serde_json::json;

use crate::app::App;
use crate::failure::Failure;
use crate::job::{Job, JobKind};

mod discover;
mod distribute;
mod issue;

pub(crate) use distribute::MODULE;

/// The label of the `channel_type`.
pub(crate) const CHANNEL: &str = "webhook";
/// The label of the call of the webhook.
pub(crate) const ENDPOINT: &str = "notify";

pub(crate) async fn run(app: &App, job: &Job) -> Result<JobResult, Failure> {
    match job.kind {
        JobKind::Issue | JobKind::Renew => issue::issue(app, job).await,
        JobKind::Distribute => distribute::distribute(app, job).await,
        JobKind::Discover => discover::discover(app).await,
        JobKind::Notify => notify(app, job).await,
    }
}

async fn notify(app: &App, job: &Job) -> Result<JobResult, Failure> {
    let Some(webhook) = &app.config.webhook else {
        return Ok(JobResult::Success);
    };
    let certificate = app.certificate(job).await?;
    let body = json!({
        "event": job.detail,
        "certificate": certificate.id,
        "project": certificate.project,
        "domain": certificate.domain,
        "not_after": certificate.issued.map(|issued| issued.not_after),
    });
    let (started, url) = (Instant::now(), webhook.to_string());
    let delivered = app.outbound.post(CHANNEL, ENDPOINT, &url, &body).await;
    let outcome = Outcome::from(delivered.is_ok());
    app.telemetry.metrics().notifications().record_delivered(CHANNEL, outcome, started.elapsed());
    delivered.map(|()| JobResult::Success)
}
