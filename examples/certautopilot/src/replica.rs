//! One replica among several: it says that it is there, follows what the others did, and takes over from those that are gone.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::app::App;
use crate::kek::Keyring;
use crate::store::hosts::{self, Report};
use crate::store::{self, Work, jobs, kek, license};

/// What keeps a replica in step with its siblings.
#[derive(Debug)]
pub(crate) struct Replica {
    pub(crate) app: Arc<App>,
    pub(crate) keyring: Arc<Keyring>,
    /// How often it looks.
    pub(crate) interval: Duration,
    /// How long a sibling may say nothing until it counts as gone.
    pub(crate) gone_after: Duration,
}

/// What the database says all replicas are to have.
struct Wanted {
    current: u32,
    /// The version of the rotation under way, else the current one.
    target: u32,
    /// Whether a rotation is under way: some replica may still wrap with the version before.
    rotating: bool,
    laggards: u64,
}

impl Replica {
    /// Looks at every interval, until told to stop; then it takes its leave.
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
                ::tracing::error!(%error, "what the other replicas did cannot be found out");
            }
        }
        let host = self.keyring.report().host;
        let leave = move |work: &mut Work<'_>| hosts::leave(work, &host);
        if let Err(error) = self.app.store.write("delete", "hosts", leave).await {
            ::tracing::warn!(%error, "this replica counts as lost, not as gone");
        }
    }

    async fn look(&self, told: &mut Option<(Report, DateTime<Utc>)>) -> Result<(), store::Error> {
        if self.app.store.refresh().await? {
            self.app.queue.rescheduled();
        }
        let installed = self.app.store.read("license", license::installed).await?;
        if let Some(license) = installed {
            self.app.license.set(license);
        }

        let app = &self.app;
        app.in_force.follow(&app.store, &app.telemetry).await?;

        let wanted = self.wanted().await?;
        let followed = self.keyring.load(wanted.target).and_then(|()| {
            let behind = self.keyring.report().current < wanted.current;
            if behind {
                self.keyring.advance(wanted.current)
            } else {
                Ok(())
            }
        });
        if let Err(error) = followed {
            ::tracing::warn!(%error, "this host lags behind");
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
            let current = kek::current(db)?;
            let rotation = kek::running(db)?;
            let target = rotation
                .as_ref()
                .map_or(current, |rotation| rotation.target);
            let laggards = hosts::laggards(db, target)?;
            Ok::<_, store::Error>(Wanted {
                current,
                target,
                rotating: rotation.is_some(),
                laggards,
            })
        };
        self.app.store.read("hosts", ask).await
    }

    /// Says that this replica is there, if it changed or was silent for a while; and takes over from those that are gone.
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
            jobs::requeue_orphaned(work, &said.host)
        };
        if self.app.store.write("update", "hosts", write).await? > 0 {
            self.app.queue.rescheduled();
        }
        *told = Some((report, now));
        Ok(())
    }
}
