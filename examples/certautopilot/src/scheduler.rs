//! The jobs that nobody asks for: renewals that are due, and discovery.

use std::sync::Arc;

use cap_telemetry::names::Actor;
use chrono::Utc;
use tokio::sync::watch;

use crate::app::App;
use crate::job::{Task, Trigger};
use crate::queue;
use crate::store::{self, certificates, jobs};

/// Looks at every interval, from the first one on, until the service stops.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::pin!(stopped);
    while tokio::time::timeout(app.config.scheduler_interval, &mut stopped)
        .await
        .is_err()
    {
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "the scheduler cannot read what is due");
        }
    }
}

async fn look(app: &App) -> Result<(), store::Error> {
    let end = Utc::now() + app.config.renew_before;
    let due = app
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
        let job = queue::prepare(app, task, project.as_deref(), &Actor::system("scheduler"));
        let insert = move |work: &mut store::Work<'_>| jobs::insert(work, &job);
        app.store.write("insert", "jobs", insert).await?;
    }
    Ok(())
}
