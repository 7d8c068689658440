//! The jobs that nobody asks for: renewals that are due, and discovery.

use std::sync::Arc;

use cap_telemetry::metrics::RenewalTrigger;
use cap_telemetry::names::Actor;
use chrono::Utc;
use tokio::sync::watch;

use crate::app::App;
use crate::job::{Job, JobKind};
use crate::queue;
use crate::store::{self, certificates, jobs};

/// Looks at every interval, from the first one on, until the service stops.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::pin!(stopped);
    while tokio::time::timeout(app.config.scheduler_interval, &mut stopped).await.is_err() {
        if let Err(error) = look(&app).await {
            tracing::error!(%error, "the scheduler cannot read what is due");
        }
    }
}

async fn look(app: &App) -> Result<(), store::Error> {
    let end = Utc::now() + app.config.renew_before;
    let due = app.store.read("certificates", move |db| certificates::due(db, end)).await?;
    let scheduler = Actor::system("scheduler");
    let renew = |(certificate, project): (String, String)| {
        let job = Job::new(JobKind::Renew, &scheduler).about(&certificate, &project);
        job.detail(RenewalTrigger::Scheduled)
    };
    let discover = Job::new(JobKind::Discover, &scheduler);
    for job in due.into_iter().map(renew).chain([discover]) {
        let job = queue::prepare(app, job);
        let insert = move |work: &mut store::Work<'_>| jobs::insert(work, &job);
        app.store.write("insert", "jobs", insert).await?;
    }
    Ok(())
}
