//! What nobody asks for: renewals that are due, and a look at what is deployed.

use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::names::Actor;
use chrono::Utc;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::queue::Queue;
use crate::store::{self, Store, Work, certificates, jobs};
use crate::task::{Task, Trigger};

/// The scheduler.
#[derive(Clone, Debug)]
pub(crate) struct Scheduler {
    /// Where certificates are.
    pub store: Store,
    /// Where jobs go.
    pub queue: Arc<Queue>,
    /// How often it looks.
    pub interval: Duration,
    /// How long before the end a certificate is renewed.
    pub renew_before: Duration,
}

impl Scheduler {
    /// Looks at every interval, from the first one on, until told to stop.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.reset();
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look().await {
                ::tracing::error!(%error, "what is due cannot be found out");
            }
        }
    }

    async fn look(&self) -> Result<(), store::Error> {
        let end = Utc::now() + self.renew_before;
        let due = move |db: &_| certificates::due(db, end);
        let due = self.store.read("certificates", due).await?;
        let scheduler = Actor::system("scheduler");
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
            let job = self.queue.prepare(task, project.as_deref(), &scheduler);
            let insert = move |work: &mut Work<'_>| jobs::insert(work, &job);
            self.store.write("insert", "jobs", insert).await?;
        }
        Ok(())
    }
}
