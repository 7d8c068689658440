//! One replica among several: it reports itself, follows what the others did, and takes over from
//! those that are gone.

use std::sync::Arc;

use cap_telemetry::settings::Form;
use chrono::{DateTime, Utc};
use tokio::sync::watch;

use crate::app::App;
use crate::store::hosts::{self, Report};
use crate::store::{self, Work, jobs, kek, settings};
use crate::sync::lock;

/// What this replica last said of itself, and when.
type Told = Option<(Report, DateTime<Utc>)>;

/// Takes over what this replica was running before, and from replicas that are gone.
pub(crate) async fn join(app: &App) -> Result<(), store::Error> {
    let (report, gone) = (app.keyring.report(), Utc::now() - app.config.replica_gone_after);
    let join = move |work: &mut Work<'_>| {
        hosts::forget(work, gone)?;
        hosts::leave(work, &report.host)?;
        jobs::requeue_orphaned(work)?;
        hosts::report(work, &report)
    };
    app.store.write("update", "hosts", join).await?;
    follow_settings(app).await
}

/// Looks at every interval until the service stops; then the replica leaves.
pub(crate) async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let stopped = async move { stop.wait_for(|stop| *stop).await.is_ok() };
    tokio::pin!(stopped);
    let mut told = None;
    loop {
        if let Err(error) = look(&app, &mut told).await {
            tracing::error!(%error, "this replica cannot read what the others did");
        }
        if tokio::time::timeout(app.config.replica_sync, &mut stopped).await.is_ok() {
            break;
        }
    }
    let host = app.keyring.report().host;
    let leave = app.store.write("delete", "hosts", move |work| hosts::leave(work, &host));
    if let Err(error) = leave.await {
        tracing::warn!(%error, "this replica counts as lost until it is forgotten");
    }
}

async fn look(app: &App, told: &mut Told) -> Result<(), store::Error> {
    if app.store.refresh().await? {
        app.wake.notify_one();
    }
    follow_settings(app).await?;
    let (current, rotating, _) = wanted(app).await?;
    let mut followed = app.keyring.load(rotating.unwrap_or(current));
    if followed.is_ok() && app.keyring.report().current < current {
        followed = app.keyring.advance(current);
    }
    if let Err(error) = followed {
        tracing::warn!(%error, "this replica lags behind");
    }
    tell(app, told).await?;
    let (current, rotating, laggards) = wanted(app).await?;
    app.keyring.lag(rotating.unwrap_or(current), laggards);
    // During a rotation some replica may still wrap with the version before.
    if rotating.is_none() && app.keyring.report().current == current {
        app.keyring.unload_old();
    }
    Ok(())
}

/// The KEK version in use, that of the rotation under way, and how many replicas have not loaded
/// the later of the two.
async fn wanted(app: &App) -> Result<(u32, Option<u32>, u64), store::Error> {
    let ask = |db: &_| {
        let (current, rotation) = (kek::current(db)?, kek::running(db)?);
        let rotating = rotation.map(|rotation| rotation.target);
        let laggards = hosts::laggards(db, rotating.unwrap_or(current))?;
        Ok::<_, store::Error>((current, rotating, laggards))
    };
    app.store.read("hosts", ask).await
}

/// Reports this replica, if it changed or was silent for a while, and takes over from those that
/// are gone.
async fn tell(app: &App, told: &mut Told) -> Result<(), store::Error> {
    let (report, now, gone_after) =
        (app.keyring.report(), Utc::now(), app.config.replica_gone_after);
    if let Some((last, at)) = told
        && *last == report
        && *at > now - gone_after / 4
    {
        return Ok(());
    }
    let said = report.clone();
    let write = move |work: &mut Work<'_>| {
        hosts::report(work, &said)?;
        hosts::forget(work, now - gone_after)?;
        jobs::requeue_orphaned(work)
    };
    if app.store.write("update", "hosts", write).await? > 0 {
        app.wake.notify_one();
    }
    *told = Some((report, now));
    Ok(())
}

/// Takes over the license and the syslog settings that another replica stored, or this one before
/// its restart.
async fn follow_settings(app: &App) -> Result<(), store::Error> {
    let read = |db: &_| {
        let form = settings::get::<Form>(db, settings::SYSLOG)?;
        Ok::<_, store::Error>((settings::get(db, settings::LICENSE)?, form))
    };
    let (license, form) = app.store.read("settings", read).await?;
    if let Some(license) = license {
        *lock(&app.license) = license;
    }
    let known = std::mem::replace(&mut *lock(&app.in_force), form.clone());
    if let Some(form) = form.filter(|form| known.as_ref() != Some(form)) {
        let telemetry = app.telemetry.clone();
        let restored = tokio::task::spawn_blocking(move || form.restore(&telemetry)).await;
        // Settings that cannot work leave the old ones in force.
        if let Ok(Err(error)) = restored {
            tracing::error!(%error, "the saved syslog settings are not in force");
        }
    }
    Ok(())
}
