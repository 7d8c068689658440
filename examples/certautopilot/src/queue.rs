//! The job queue: a job carries the context of the span that enqueues it, and workers are woken
//! when one is due.

use std::time::Duration;

use chrono::Utc;

use crate::app::App;
use crate::job::Job;
use crate::store::{self, jobs};

/// Puts a job into the current trace. Insert it in the transaction that makes it necessary.
pub(crate) fn prepare(app: &App, mut job: Job) -> Job {
    let span = app.telemetry.tracer().enqueue(job.kind.as_str(), &job.id);
    job.carrier = span.carrier();
    job
}

/// Takes the next job that is due. Taking one wakes the next worker, so that one wake-up reaches
/// as many workers as there are jobs.
pub(crate) async fn take(app: &App) -> Result<Option<Job>, store::Error> {
    let host = app.telemetry.instance_name().to_owned();
    let claim = move |work: &mut store::Work<'_>| jobs::claim(work, &host, Utc::now());
    let job = app.store.write("update", "jobs", claim).await?;
    if job.is_some() {
        app.wake.notify_one();
    }
    Ok(job)
}

/// Waits until a job may be due.
pub(crate) async fn wait(app: &App) {
    let wait = match app.store.read("jobs", jobs::next_due).await {
        // Rows hold whole milliseconds.
        Ok(Some(due)) => (due - Utc::now()).to_std().unwrap_or_default() + Duration::from_millis(1),
        Ok(None) => Duration::MAX,
        Err(_) => Duration::from_secs(1),
    };
    let _ = tokio::time::timeout(wait, app.wake.notified()).await;
}
