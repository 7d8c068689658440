//! The job queue: a job carries the context of the span that enqueues it, and workers are woken
//! when one is due.

use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::Telemetry;
use cap_telemetry::names::Actor;
use chrono::Utc;
use tokio::sync::Notify;

use crate::ids;
use crate::job::{Job, Task};
use crate::store::{self, Store, jobs};

/// The queue, over the table of jobs.
#[derive(Debug)]
pub(crate) struct Queue {
    store: Store,
    telemetry: Telemetry,
    wake: Arc<Notify>,
}

impl Queue {
    /// The queue in `store`. Notify `wake` when a job may be due that was not.
    pub(crate) fn new(store: Store, telemetry: Telemetry, wake: Arc<Notify>) -> Self {
        Self {
            store,
            telemetry,
            wake,
        }
    }

    /// A job in the current trace, to be inserted in the transaction that makes it necessary.
    pub(crate) fn prepare(&self, task: Task, project: Option<&str>, requested_by: &Actor) -> Job {
        let id = ids::new("job");
        let span = self.telemetry.tracer().enqueue(task.kind().as_str(), &id);
        let job = Job::new(id, task, span.carrier(), requested_by.clone());
        Job {
            project: project.map(str::to_owned),
            ..job
        }
    }

    /// A job has a new due time, or another replica enqueued one.
    pub(crate) fn rescheduled(&self) {
        self.wake.notify_one();
    }

    /// Takes the next job that is due. Taking one wakes the next worker, so that one wake-up
    /// reaches as many workers as there are jobs.
    ///
    /// # Errors
    /// The database's own.
    pub(crate) async fn take(&self) -> Result<Option<Job>, store::Error> {
        let host = self.telemetry.instance_name().to_owned();
        let claim = move |work: &mut store::Work<'_>| jobs::claim(work, &host, Utc::now());
        let job = self.store.write("update", "jobs", claim).await?;
        if job.is_some() {
            self.wake.notify_one();
        }
        Ok(job)
    }

    /// Waits until a job may be due.
    pub(crate) async fn wait(&self) {
        let next = self.store.read("jobs", jobs::next_due).await;
        let timer = async {
            match next {
                // Rows hold whole milliseconds.
                Ok(Some(due)) => {
                    let left = (due - Utc::now()).to_std().unwrap_or_default();
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
