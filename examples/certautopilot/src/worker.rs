//! The loop that runs jobs: take one, attempt it, settle how it went.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::Telemetry;
use cap_telemetry::metrics::JobResult;
use cap_telemetry::names::{ErrorClass, Severity};
use cap_telemetry::trace::Carrier;
use chrono::Utc;
use tokio::sync::watch;

use crate::failure::Failure;
use crate::queue::{Queue, backoff};
use crate::store::audit::{Entry, EventType};
use crate::store::certificates::{self, CertificateState};
use crate::store::jobs::{self, Job};
use crate::store::{self, Store, Work};
use crate::task::Task;
use crate::tasks::Tasks;

/// When an attempt is the last one, and how long to wait before the next.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Retry {
    /// Attempts at most.
    pub max_attempts: NonZeroU32,
    /// The wait after the first failure; each further one doubles it.
    pub backoff: Duration,
}

/// A worker; as many run as jobs may run side by side.
#[derive(Clone, Debug)]
pub(crate) struct Worker {
    /// Where it takes jobs from.
    pub queue: Arc<Queue>,
    /// Where it settles them.
    pub store: Store,
    /// What they do.
    pub tasks: Arc<Tasks>,
    /// Where it says so.
    pub telemetry: Telemetry,
    /// When it gives up.
    pub retry: Retry,
}

impl Worker {
    /// Runs jobs until told to stop; the job under way is finished then.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow_and_update() {
            match self.queue.take().await {
                Ok(Some(job)) => self.attempt(job).await,
                Ok(None) => {
                    tokio::select! {
                        () = self.queue.wait() => {}
                        _ = stop.changed() => {}
                    }
                }
                Err(error) => {
                    ::tracing::error!(%error, "no job can be taken");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
    }

    async fn attempt(&self, job: Job) {
        let kind = job.task.kind().as_str();
        let mut described = self
            .telemetry
            .tracer()
            .job(kind, &job.id)
            .attempt(job.attempt)
            .parent(&job.carrier);
        if let Some(certificate) = job.task.certificate() {
            described = described.certificate(certificate);
        }
        // Each run is a distribution of its own.
        if matches!(job.task, Task::Distribute { .. }) {
            described = described.distribution(&job.id);
        }
        if let Some(project) = &job.project {
            described = described.project(project);
        }
        if let Some(previous) = &job.previous {
            described = described.previous_attempt(previous);
        }
        let span = described.start();
        let run = self.telemetry.metrics().jobs().start(kind);

        // On a task of its own, so that a panic ends the attempt and not the worker.
        let (tasks, running) = (self.tasks.clone(), job.clone());
        let attempt = span.scope(async move { tasks.run(&running).await });
        let outcome = tokio::spawn(attempt).await.unwrap_or_else(|panic| {
            Err(Failure::new(
                ErrorClass::IoPermanent,
                format!("the job broke down: {panic}"),
            ))
        });

        let settled = match outcome {
            Ok(result) => {
                run.finish(result);
                span.scope(self.done(&job)).await
            }
            Err(failure) => {
                span.record_error(failure.class, &failure);
                run.finish(JobResult::Failed);
                span.in_scope(|| {
                    ::tracing::warn!(job = job.id, kind, attempt = job.attempt, %failure, "a job failed");
                });
                span.scope(self.failed(&job, failure, span.carrier())).await
            }
        };
        if let Err(error) = settled {
            // The row still says it is running, and the next start puts it back into the queue.
            span.in_scope(|| {
                ::tracing::error!(job = job.id, %error, "how the job ended cannot be stored");
            });
        }
    }

    async fn done(&self, job: &Job) -> Result<(), store::Error> {
        let id = job.id.clone();
        let done = move |work: &mut Work<'_>| jobs::done(work, &id);
        self.store.write("update", "jobs", done).await
    }

    async fn failed(
        &self,
        job: &Job,
        failure: Failure,
        attempt: Carrier,
    ) -> Result<(), store::Error> {
        let kind = job.task.kind().as_str();
        let job = job.clone();
        if failure.may_pass() && job.attempt < self.retry.max_attempts.get() {
            self.telemetry.metrics().jobs().record_retried(kind);
            let wait = backoff(self.retry.backoff, job.attempt);
            let run_at = Utc::now() + wait.max(failure.retry_after.unwrap_or_default());
            let retry = move |work: &mut Work<'_>| {
                jobs::retry(work, &job, run_at, &attempt, &failure.message)
            };
            self.store.write("update", "jobs", retry).await?;
            self.queue.rescheduled();
            return Ok(());
        }
        self.telemetry.metrics().jobs().record_dead_lettered(kind);
        let notice = match &job.task {
            Task::Renew { certificate, .. } => {
                let notify = Task::Notify {
                    certificate: certificate.clone(),
                    what: EventType::CertRenewalFailed.to_string(),
                };
                let project = job.project.as_deref();
                Some(self.queue.prepare(notify, project, &job.requested_by))
            }
            _ => None,
        };
        let give_up = move |work: &mut Work<'_>| give_up(work, &job, &failure, notice.as_ref());
        self.store.write("update", "jobs", give_up).await
    }
}

/// Everything that a dead letter means, in one transaction.
fn give_up(
    work: &mut Work<'_>,
    job: &Job,
    failure: &Failure,
    notice: Option<&Job>,
) -> Result<(), store::Error> {
    jobs::dead(work, &job.id, &failure.message)?;
    let kind = job.task.kind();
    let summary = format!(
        "Job {kind} given up after attempt {}: {failure}",
        job.attempt
    );
    work.record(
        entry(EventType::JobDeadLettered, job, failure, summary)
            .resource(format!("job:{}", job.id)),
    )?;

    let (Task::Issue { certificate } | Task::Renew { certificate, .. }) = &job.task else {
        return Ok(());
    };
    certificates::set_last_error(work, certificate, &failure.message)?;
    let row = certificates::find(work, certificate)?;
    let renewing = row.filter(|row| {
        matches!(job.task, Task::Renew { .. }) && row.state != CertificateState::Revoked
    });
    if let Some(row) = renewing {
        certificates::set_state(work, certificate, CertificateState::RenewalFailed)?;
        let summary = format!("Certificate for {} not renewed: {failure}", row.domain);
        work.record(
            entry(EventType::CertRenewalFailed, job, failure, summary).certificate(certificate),
        )?;
        if let Some(notice) = notice {
            jobs::insert(work, notice)?;
        }
    }
    Ok(())
}

fn entry(event_type: EventType, job: &Job, failure: &Failure, summary: String) -> Entry {
    let entry = Entry::new(event_type, job.requested_by.clone(), summary)
        .severity(Severity::Error)
        .param("job_type", job.task.kind())
        .param("attempts", job.attempt)
        .param("error_class", failure.class);
    match &job.project {
        Some(project) => entry.project(project),
        None => entry,
    }
}
