//! Rotating the KEK: load the next version everywhere, switch to it, re-wrap every stored key,
//! unload the old versions.

use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::names::{Actor, ErrorClass, Severity};
use cap_telemetry::trace::{Carrier, Tracer};
use tokio::sync::watch;

use super::{Error, Keyring};
use crate::audit::{Entry, EventType};
use crate::ids;
use crate::store::kek::{self, Rotation};
use crate::store::{self, Store, hosts};

/// Keys re-wrapped in one transaction.
const BATCH: u32 = 50;

/// How often a waiting rotation looks at the other replicas.
const POLL: Duration = Duration::from_millis(100);

pub(crate) struct Rotations {
    pub(crate) store: Store,
    pub(crate) keyring: Arc<Keyring>,
    /// A rotation that waits for other replicas pauses when this becomes true.
    pub(crate) stop: watch::Receiver<bool>,
}

impl Rotations {
    /// Begins a rotation to the next version, and loads that version here.
    /// [`run`](Self::run) does the rest.
    pub(crate) async fn start(&self, actor: Actor) -> Result<Rotation, Error> {
        let keyring = self.keyring.clone();
        let begin = move |work: &mut store::Work<'_>| {
            if let Some(running) = kek::running(work)? {
                return Err(Error::Running(running.id));
            }
            let (id, target) = (ids::new("rot"), kek::current(work)? + 1);
            let rotation = Rotation { id, target, requested_by: actor };
            // If the commit fails, one version more is loaded than needed; it is derived the same
            // the next time.
            keyring.load(target)?;
            kek::begin(work, &rotation)?;
            hosts::report(work, &keyring.report())?;
            let started = entry(EventType::RotationStarted, &rotation, "started");
            work.record(started.severity(Severity::Warn))?;
            keyring.progress(&rotation.id, 0.0);
            Ok(rotation)
        };
        self.store.write("insert", "kek_rotations", begin).await
    }

    /// [Runs](Self::run) the rotation as background work: a job span of its own, in the trace of
    /// the request that asked for it. An error is logged; the next start of the service continues
    /// the rotation.
    pub(crate) async fn finish(self, tracer: Tracer, rotation: Rotation, asked_by: Carrier) {
        let span = tracer.job("kek_rotation", &rotation.id).parent(&asked_by).start();
        if let Err(error) = span.scope(self.run(&rotation)).await {
            span.record_error(ErrorClass::IoPermanent, &error);
            let rotation = &rotation.id;
            span.in_scope(|| tracing::error!(rotation, %error, "the KEK rotation stopped"));
        }
    }

    /// Waits until every replica has loaded the version, switches to it, re-wraps until no key is
    /// behind, then unloads the old versions.
    async fn run(&self, rotation: &Rotation) -> Result<(), Error> {
        let target = rotation.target;
        let behind = self.store.read("certificates", move |db| kek::behind(db, target));
        let total = behind.await?;
        self.keyring.progress(&rotation.id, 0.0);
        let mut stop = self.stop.clone();
        loop {
            match self.step(rotation.clone()).await? {
                Some(0) => {
                    self.keyring.unload_old();
                    self.keyring.progress(&rotation.id, 1.0);
                    return Ok(());
                }
                // A replica that has not switched may add keys behind the target; the progress
                // then stays where it was.
                Some(left) => {
                    let done = 1.0 - f64::from(left) / f64::from(total.max(left).max(1));
                    self.keyring.progress(&rotation.id, done.min(0.99));
                }
                None => {
                    if tokio::time::timeout(POLL, stop.wait_for(|stop| *stop)).await.is_ok() {
                        return Ok(());
                    }
                }
            }
        }
    }

    /// One transaction: switches to the version once every replica has loaded it, re-wraps a
    /// batch, and completes the rotation when no key is left and no replica can add one. Says how
    /// many keys are left; `None` while it waits for other replicas.
    async fn step(&self, rotation: Rotation) -> Result<Option<u32>, Error> {
        let (keyring, target) = (self.keyring.clone(), rotation.target);
        let step = move |work: &mut store::Work<'_>| {
            let laggards = hosts::laggards(work, target)?;
            keyring.lag(target, laggards);
            if laggards > 0 {
                return Ok(None);
            }
            // Keys are sealed inside transactions, so a replica that reports that it has switched
            // wraps none with an old version after this one.
            kek::switch(work, &rotation.id)?;
            if keyring.report().current != target {
                keyring.advance(target)?;
                hosts::report(work, &keyring.report())?;
            }
            for (id, key) in kek::next_behind(work, target, BATCH)? {
                let rewrapped = keyring.wrap(&id, &keyring.unwrap(&id, &key)?)?;
                kek::rewrap(work, &id, &key, &rewrapped)?;
            }
            let left = kek::behind(work, target)?;
            if left > 0 {
                return Ok(Some(left));
            }
            if hosts::all(work)?.iter().any(|report| report.current != target) {
                return Ok(None);
            }
            if kek::complete(work, &rotation.id)? {
                work.record(entry(EventType::RotationCompleted, &rotation, "completed"))?;
            }
            Ok(Some(0))
        };
        self.store.write("update", "certificates", step).await
    }
}

fn entry(event_type: EventType, rotation: &Rotation, what: &str) -> Entry {
    let summary = format!("KEK rotation to version {} {what}", rotation.target);
    Entry::new(event_type, rotation.requested_by.clone(), summary)
        .resource("kek_rotation", &rotation.id)
        .param("target_version", rotation.target)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use cap_telemetry::metrics::Metrics;
    use chrono::Utc;

    use super::*;
    use crate::certificate::{Certificate, Issued};
    use crate::kek::MasterKey;
    use crate::store::certificates;

    /// A store with so many wrapped keys, and its rotations.
    async fn safe(keys: usize) -> (Rotations, Metrics) {
        let store = Store::open(Path::new(":memory:"), "here", Tracer::disabled(), |_| {});
        let store = store.unwrap();
        let (master, metrics) = (MasterKey::random(), Metrics::new());
        let keyring = Keyring::new("here", master, (vec![], 1), metrics.clone()).unwrap();
        let (keyring, (_, stop)) = (Arc::new(keyring), watch::channel(false));
        let rotations = Rotations { store, keyring: keyring.clone(), stop };
        let fill = move |work: &mut store::Work<'_>| {
            for number in 0..keys {
                let id = format!("crt_{number:04}");
                certificates::insert(work, &Certificate::pending(&id, "p1", "a.example", "acme"))?;
                let issued = Issued {
                    pem: String::new(),
                    fingerprint: number.to_string(),
                    not_after: Utc::now(),
                    key: keyring.wrap(&id, id.as_bytes())?,
                };
                certificates::set_issued(work, &id, &issued)?;
            }
            Ok::<_, Error>(())
        };
        rotations.store.write("insert", "certificates", fill).await.unwrap();
        (rotations, metrics)
    }

    /// Unwraps every stored key, and returns the versions that wrap them.
    async fn unwrap_all(rotations: &Rotations) -> Vec<u32> {
        let rows = |db: &_| certificates::of_project(db, "p1");
        let rows: Result<_, store::Error> = rotations.store.read("certificates", rows).await;
        let version = |row: Certificate| {
            let key = row.issued.unwrap().key;
            assert_eq!(rotations.keyring.unwrap(&row.id, &key).unwrap(), row.id.as_bytes());
            key.kek_version
        };
        rows.unwrap().into_iter().map(version).collect()
    }

    #[tokio::test]
    async fn every_key_stays_readable_through_a_rotation() {
        let (rotations, metrics) = safe(120).await;
        assert_eq!(unwrap_all(&rotations).await, [1; 120]);
        let rotation = rotations.start(Actor::user("alice")).await.unwrap();
        assert_eq!(unwrap_all(&rotations).await, [1; 120]);
        rotations.run(&rotation).await.unwrap();
        assert_eq!(unwrap_all(&rotations).await, [2; 120]);
        let text = metrics.render();
        let id = &rotation.id;
        for line in [
            r#"cap_kek_process_loaded_versions{host="here",version="1"} 0"#,
            r#"cap_kek_process_loaded_versions{host="here",version="2"} 1"#,
            r#"cap_kek_process_current_version{host="here"} 2"#,
            r#"cap_kek_cluster_laggards_total{target="2"} 0"#,
            &format!(r#"cap_kek_rotation_active{{rotation_id="{id}"}} 0"#),
            &format!(r#"cap_kek_rotation_progress_ratio{{rotation_id="{id}"}} 1"#),
            r#"cap_kek_wrap_total{provider="local",result="success"} 240"#,
            r#"cap_kek_unwrap_total{provider="local",result="failed"} 0"#,
        ] {
            assert!(text.lines().any(|there| there == line), "{line} is not in\n{text}");
        }
    }
}
