//! One replica among several: it reports itself, follows what the others did, and takes over from
//! those that are gone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::kek::Keyring;
use crate::license::License;
use crate::store::hosts::{self, Report};
use crate::store::{self, Store, Work, jobs, kek, settings};

/// What keeps a replica in step with its siblings.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) app: Arc<App>,
    pub(crate) keyring: Arc<Keyring>,
    /// How often it looks.
    pub(crate) interval: Duration,
    /// How long a sibling may be silent until it counts as gone.
    pub(crate) gone_after: Duration,
}

/// What the database says that all replicas must have.
struct Wanted {
    current: u32,
    /// The version of the rotation under way, else the current one.
    target: u32,
    /// Whether some replica may still wrap with the version before.
    rotating: bool,
    laggards: u64,
}

/// A replica that starts takes over its own jobs from before, and those of replicas that are gone.
pub(crate) async fn join(
    store: &Store,
    report: Report,
    gone_after: Duration,
) -> Result<(), store::Error> {
    let gone = Utc::now() - gone_after;
    let join = move |work: &mut Work<'_>| {
        hosts::forget(work, gone)?;
        hosts::leave(work, &report.host)?;
        jobs::requeue_orphaned(work)?;
        hosts::report(work, &report)
    };
    store.write("update", "hosts", join).await
}

impl Replica {
    /// Looks at every interval until `stop` is true; then the replica leaves.
    pub(crate) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut ticks = tokio::time::interval(self.interval);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = None;
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => break,
                _ = ticks.tick() => {}
            }
            if let Err(error) = self.look(&mut told).await {
                tracing::error!(%error, "this replica cannot read what the others did");
            }
        }
        let host = self.keyring.report().host;
        let leave = move |work: &mut Work<'_>| hosts::leave(work, &host);
        if let Err(error) = self.app.store.write("delete", "hosts", leave).await {
            tracing::warn!(%error, "this replica counts as lost until it is forgotten");
        }
    }

    async fn look(&self, told: &mut Option<(Report, DateTime<Utc>)>) -> Result<(), store::Error> {
        let app = &self.app;
        if app.store.refresh().await? {
            app.queue.rescheduled();
        }
        let read = |db: &_| settings::get::<License>(db, settings::LICENSE);
        if let Some(license) = app.store.read("settings", read).await? {
            app.set_license(license);
        }
        app.in_force.follow(&app.store, &app.telemetry).await?;

        let wanted = self.wanted().await?;
        let mut followed = self.keyring.load(wanted.target);
        if followed.is_ok() && self.keyring.report().current < wanted.current {
            followed = self.keyring.advance(wanted.current);
        }
        if let Err(error) = followed {
            tracing::warn!(%error, "this replica lags behind");
        }
        self.tell(told).await?;

        let wanted = self.wanted().await?;
        self.keyring.lag(wanted.target, wanted.laggards);
        if !wanted.rotating && self.keyring.report().current == wanted.current {
            self.keyring.unload_old();
        }
        Ok(())
    }

    async fn wanted(&self) -> Result<Wanted, store::Error> {
        let ask = |db: &_| {
            let (current, rotation) = (kek::current(db)?, kek::running(db)?);
            let target = rotation
                .as_ref()
                .map_or(current, |rotation| rotation.target);
            let (rotating, laggards) = (rotation.is_some(), hosts::laggards(db, target)?);
            Ok::<_, store::Error>(Wanted {
                current,
                target,
                rotating,
                laggards,
            })
        };
        self.app.store.read("hosts", ask).await
    }

    /// Reports this replica, if it changed or was silent for a while, and takes over from those
    /// that are gone.
    async fn tell(&self, told: &mut Option<(Report, DateTime<Utc>)>) -> Result<(), store::Error> {
        let (report, now) = (self.keyring.report(), Utc::now());
        let lately = now - self.gone_after / 4;
        if told
            .as_ref()
            .is_some_and(|(last, at)| *last == report && *at > lately)
        {
            return Ok(());
        }
        let (said, gone) = (report.clone(), now - self.gone_after);
        let write = move |work: &mut Work<'_>| {
            hosts::report(work, &said)?;
            hosts::forget(work, gone)?;
            jobs::requeue_orphaned(work)
        };
        if self.app.store.write("update", "hosts", write).await? > 0 {
            self.app.queue.rescheduled();
        }
        *told = Some((report, now));
        Ok(())
    }
}
