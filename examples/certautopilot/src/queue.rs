//! The job queue: jobs go in with the context of whoever asks, and workers are woken when one is due.

use std::time::Duration;

use cap_telemetry::Telemetry;
use cap_telemetry::names::Actor;
use chrono::Utc;
use tokio::sync::Notify;

use crate::ids;
use crate::store::jobs::Job;
use crate::store::{self, Store};
use crate::task::{JobKind, Task};

/// The queue, over the table of jobs.
#[derive(Debug)]
pub(crate) struct Queue {
    store: Store,
    telemetry: Telemetry,
    wake: Notify,
}

impl Queue {
    /// The queue in `store`.
    pub(crate) fn new(store: Store, telemetry: Telemetry) -> Self {
        Queue {
            store,
            telemetry,
            wake: Notify::new(),
        }
    }

    /// A job that carries the current context, to be inserted in the transaction that makes it necessary.
    pub(crate) fn prepare(&self, task: Task, project: Option<&str>, requested_by: &Actor) -> Job {
        let id = ids::new("job");
        let span = self.telemetry.tracer().enqueue(task.kind().as_str(), &id);
        Job {
            id,
            task,
            attempt: 0,
            run_at: Utc::now(),
            carrier: span.carrier(),
            previous: None,
            project: project.map(str::to_owned),
            requested_by: requested_by.clone(),
        }
    }

    /// A commit put these jobs into the queue.
    pub(crate) fn queued(&self, kinds: &[JobKind]) {
        for kind in kinds {
            self.telemetry.metrics().jobs().record_queued(kind.as_str());
            self.wake.notify_one();
        }
    }

    /// A job has a new due time, which may be before the one that is waited for, or another replica put one in.
    pub(crate) fn rescheduled(&self) {
        self.wake.notify_one();
    }

    /// Takes the next job that is due. Whoever gets one wakes the next worker, so that one wake-up reaches as many workers as
    /// there are jobs.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn take(&self) -> Result<Option<Job>, store::Error> {
        let host = self.telemetry.instance_name().to_owned();
        let claim = move |work: &mut store::Work<'_>| store::jobs::claim(work, &host, Utc::now());
        let job = self.store.write("update", "jobs", claim).await?;
        if job.is_some() {
            self.wake.notify_one();
        }
        Ok(job)
    }

    /// Waits until a job was put in, or the next one is due.
    pub(crate) async fn wait(&self) {
        let next = self.store.read("jobs", store::jobs::next_due).await;
        let timer = async {
            match next {
                Ok(Some(due)) => {
                    let left = (due - Utc::now()).to_std().unwrap_or_default();
                    // Rows hold whole milliseconds.
                    tokio::time::sleep(left + Duration::from_millis(1)).await;
                }
                Ok(None) => std::future::pending().await,
                Err(_) => tokio::time::sleep(Duration::from_secs(1)).await,
            }
        };
        tokio::select! {
            () = self.wake.notified() => {}
            () = timer => {}
        }
    }
}

/// How long after the failed attempt the next may begin: the base, doubled for each attempt before, for an hour at most.
pub(crate) fn backoff(base: Duration, attempt: u32) -> Duration {
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
