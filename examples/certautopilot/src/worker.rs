//! The loops of the queue: one runs the jobs that are due, one adds those that nobody asks for.

use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::metrics::{JobResult, RenewalTrigger};
use cap_telemetry::names::{Actor, ErrorClass, Severity};
use cap_telemetry::trace::Carrier;
use chrono::Utc;
use tokio::sync::watch;

use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::certificate::CertificateState;
use crate::failure::Failure;
use crate::job::{Job, JobKind};
use crate::store::{self, Work, certificates, jobs};
use crate::tasks;

/// Runs jobs until the service stops; the job under way is finished then.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    while !*stop.borrow_and_update() {
        match take(&app).await {
            Ok(Some(job)) => attempt(&app, job).await,
            Ok(None) => {
                tokio::select! {
                    () = wait(&app) => {}
                    _ = stop.changed() => {}
                }
            }
            Err(error) => {
                tracing::error!(%error, "no job can be taken");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }
    }
}

/// Looks at every interval, from the first one on, until the service stops: for renewals that are
/// due, and for discovery.
pub(crate) async fn schedule(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::pin!(stopped);
    while tokio::time::timeout(app.config.scheduler_interval, &mut stopped).await.is_err() {
        if let Err(error) = add_due(&app).await {
            tracing::error!(%error, "the scheduler cannot read what is due");
        }
    }
}

async fn add_due(app: &App) -> Result<(), store::Error> {
    let end = Utc::now() + app.config.renew_before;
    let due = app.store.read("certificates", move |db| certificates::due(db, end)).await?;
    let scheduler = Actor::system("scheduler");
    let renew = |(certificate, project): (String, String)| {
        let job = Job::new(JobKind::Renew, &scheduler).about(&certificate, &project);
        job.detail(RenewalTrigger::Scheduled)
    };
    let discover = Job::new(JobKind::Discover, &scheduler);
    for job in due.into_iter().map(renew).chain([discover]) {
        let job = app.enqueue(job);
        app.store.write("insert", "jobs", move |work| jobs::insert(work, &job)).await?;
    }
    Ok(())
}

/// Takes the next job that is due. Taking one wakes the next worker, so that one wake-up reaches
/// as many workers as there are jobs.
async fn take(app: &App) -> Result<Option<Job>, store::Error> {
    let host = app.telemetry.instance_name().to_owned();
    let claim = app.store.write("update", "jobs", move |work| jobs::claim(work, &host, Utc::now()));
    let job = claim.await?;
    if job.is_some() {
        app.wake.notify_one();
    }
    Ok(job)
}

/// Waits until a job may be due.
async fn wait(app: &App) {
    let wait = match app.store.read("jobs", jobs::next_due).await {
        // Rows hold whole milliseconds.
        Ok(Some(due)) => (due - Utc::now()).to_std().unwrap_or_default() + Duration::from_millis(1),
        Ok(None) => Duration::MAX,
        Err(_) => Duration::from_secs(1),
    };
    let _ = tokio::time::timeout(wait, app.wake.notified()).await;
}

async fn attempt(app: &Arc<App>, job: Job) {
    let kind = job.kind.as_str();
    let mut described = app.telemetry.tracer().job(kind, &job.id);
    described = described.attempt(job.attempt).parent(&job.carrier);
    if let Some(certificate) = &job.certificate {
        described = described.certificate(certificate);
    }
    // Each run is a distribution of its own.
    if job.kind == JobKind::Distribute {
        described = described.distribution(&job.id);
    }
    if let Some(project) = &job.project {
        described = described.project(project);
    }
    if let Some(previous) = &job.previous {
        described = described.previous_attempt(previous);
    }
    let span = described.start();
    let run = app.telemetry.metrics().jobs().start(kind);
    // On a task of its own, so that a panic ends the attempt and not the worker.
    let (working, running) = (app.clone(), job.clone());
    let attempt = span.scope(async move { tasks::run(&working, &running).await });
    let outcome = tokio::spawn(attempt).await.unwrap_or_else(|panic| {
        Err(Failure::new(ErrorClass::IoPermanent, format!("the job panicked: {panic}")))
    });
    let (id, attempt) = (job.id.clone(), job.attempt);
    let settled = match outcome {
        Ok(result) => {
            run.finish(result);
            let done = move |work: &mut Work<'_>| jobs::done(work, &job.id);
            span.scope(app.store.write("update", "jobs", done)).await
        }
        Err(failure) => {
            span.record_error(failure.class, &failure);
            run.finish(JobResult::Failed);
            let warn = || tracing::warn!(job = id, kind, attempt, %failure, "an attempt failed");
            span.in_scope(warn);
            span.scope(failed(app, job, failure, span.carrier())).await
        }
    };
    if let Err(error) = settled {
        // The row still says that it is running, so the next start requeues it.
        span.in_scope(|| tracing::error!(job = id, %error, "a job's end cannot be stored"));
    }
}

async fn failed(
    app: &App,
    job: Job,
    failure: Failure,
    attempt: Carrier,
) -> Result<(), store::Error> {
    let kind = job.kind.as_str();
    if failure.may_pass() && job.attempt < app.config.max_attempts.get() {
        app.telemetry.metrics().jobs().record_retried(kind);
        let wait = backoff(app.config.backoff, job.attempt);
        let run_at = Utc::now() + wait.max(failure.retry_after.unwrap_or_default());
        let retry =
            move |work: &mut Work<'_>| jobs::retry(work, &job, run_at, &attempt, &failure.message);
        app.store.write("update", "jobs", retry).await?;
        app.wake.notify_one();
        return Ok(());
    }
    app.telemetry.metrics().jobs().record_dead_lettered(kind);
    let notice = (job.kind == JobKind::Renew).then(|| {
        let mut notice = Job::new(JobKind::Notify, &job.requested_by);
        notice.certificate.clone_from(&job.certificate);
        notice.project.clone_from(&job.project);
        app.enqueue(notice.detail(EventType::CertRenewalFailed))
    });
    let give_up = move |work: &mut Work<'_>| give_up(work, &job, &failure, notice.as_ref());
    app.store.write("update", "jobs", give_up).await
}

/// Everything that follows from a dead letter, in one transaction. A renewal has a notice.
fn give_up(
    work: &mut Work<'_>,
    job: &Job,
    failure: &Failure,
    notice: Option<&Job>,
) -> Result<(), store::Error> {
    let (kind, attempt) = (job.kind, job.attempt);
    let entry = |event_type, summary: String| {
        Entry::new(event_type, job.requested_by.clone(), summary)
            .project(job.project.as_deref())
            .severity(Severity::Error)
            .param("job_type", kind)
            .param("attempts", attempt)
            .param("error_class", failure.class)
    };
    jobs::dead(work, &job.id, &failure.message)?;
    let summary = format!("Job {kind} given up after attempt {attempt}: {failure}");
    work.record(entry(EventType::JobDeadLettered, summary).resource("job", &job.id))?;

    let (JobKind::Issue | JobKind::Renew, Some(certificate)) = (kind, &job.certificate) else {
        return Ok(());
    };
    certificates::set_last_error(work, certificate, &failure.message)?;
    let row = certificates::find(work, certificate)?;
    let row = row.filter(|row| row.state != CertificateState::Revoked);
    if let (Some(row), Some(notice)) = (row, notice) {
        certificates::set_state(work, certificate, CertificateState::RenewalFailed)?;
        let summary = format!("Certificate for {} not renewed: {failure}", row.domain);
        let failed = entry(EventType::CertRenewalFailed, summary);
        work.record(failed.resource("cert", certificate))?;
        jobs::insert(work, notice)?;
    }
    Ok(())
}

/// How long after a failed attempt the next may begin: the base, doubled for each attempt before,
/// an hour at most.
fn backoff(base: Duration, attempt: u32) -> Duration {
    const LIMIT: Duration = Duration::from_secs(3600);
    let factor = 2u32.saturating_pow(attempt.saturating_sub(1));
    base.saturating_mul(factor).min(LIMIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_failure_doubles_the_wait_up_to_an_hour() {
        let base = Duration::from_millis(100);
        let waits = [1, 2, 3, 4, 100].map(|attempt| backoff(base, attempt).as_millis());
        assert_eq!(waits, [100, 200, 400, 800, 3_600_000]);
    }
}
