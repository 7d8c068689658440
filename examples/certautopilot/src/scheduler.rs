//! The jobs that nobody asks for: renewals that are due, and discovery.

use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::names::Actor;
use chrono::Utc;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use crate::job::{Task, Trigger};
use crate::queue::Queue;
use crate::store::{self, Store, certificates, jobs};

/// The scheduler.
#[derive(Clone, Debug)]
pub(crate) struct Scheduler {
    pub(crate) store: Store,
    pub(crate) queue: Arc<Queue>,
    /// How often it looks.
    pub(crate) interval: Duration,
    /// How long before the end a certificate is renewed.
    pub(crate) renew_before: Duration,
}

impl Scheduler {
    /// Looks at every interval, from the first one on, until `stop` is true.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut ticks = interval_at(Instant::now() + self.interval, self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look().await {
                tracing::error!(%error, "the scheduler cannot read what is due");
            }
        }
    }

    async fn look(&self) -> Result<(), store::Error> {
        let end = Utc::now() + self.renew_before;
        let due = self
            .store
            .read("certificates", move |db| certificates::due(db, end))
            .await?;
        let renewals = due.into_iter().map(|(certificate, project)| {
            let trigger = Trigger::Scheduled;
            (
                Task::Renew {
                    certificate,
                    trigger,
                },
                Some(project),
            )
        });
        for (task, project) in renewals.chain([(Task::Discover, None)]) {
            let scheduler = Actor::system("scheduler");
            let job = self.queue.prepare(task, project.as_deref(), &scheduler);
            let insert = move |work: &mut store::Work<'_>| jobs::insert(work, &job);
            self.store.write("insert", "jobs", insert).await?;
        }
        Ok(())
    }
}
