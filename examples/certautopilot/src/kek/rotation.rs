//! Rotating the KEK: load the next version everywhere, switch to it, re-wrap every stored key, forget the old versions.

use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::names::{Actor, Severity};
use tokio::sync::watch;

use super::{Error, Keyring};
use crate::ids;
use crate::store::audit::{Entry, EventType};
use crate::store::kek::{self, Rotation};
use crate::store::{self, Store, hosts};

/// Keys re-wrapped in one transaction.
const BATCH: u32 = 50;

/// How often the other replicas are looked at while a rotation waits for them.
const POLL: Duration = Duration::from_millis(100);

/// Starts rotations and carries them through.
#[derive(Clone, Debug)]
pub struct Rotations {
    store: Store,
    keyring: Arc<Keyring>,
    stop: watch::Receiver<bool>,
}

/// Why a rotation did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// One is running.
    #[error("rotation {0} is running: one at a time")]
    Running(String),
    /// This host cannot load the version.
    #[error(transparent)]
    Key(#[from] Error),
    /// The database's own.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Why a rotation stopped half-way. It goes on when the service starts again.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// A key cannot be re-wrapped.
    #[error(transparent)]
    Key(#[from] Error),
    /// The database's own.
    #[error(transparent)]
    Store(#[from] store::Error),
}

/// Where a rotation stands.
enum Step {
    /// So many keys are behind.
    Left(u32),
    /// Replicas have not followed yet.
    Waiting,
    Complete,
}

impl Rotations {
    /// Rotations of the keys in `store`. One that waits for other replicas is left when `stop` becomes true.
    pub fn new(store: Store, keyring: Arc<Keyring>, stop: watch::Receiver<bool>) -> Self {
        Rotations {
            store,
            keyring,
            stop,
        }
    }

    /// Begins a rotation to the next version, loaded here from now on. [`run`](Self::run) does the rest.
    ///
    /// # Errors
    /// When one is running already, or the version cannot be loaded here.
    pub async fn start(&self, actor: Actor) -> Result<Rotation, StartError> {
        let keyring = self.keyring.clone();
        self.store
            .write("insert", "kek_rotations", move |work| {
                if let Some(running) = kek::running(work)? {
                    return Err(StartError::Running(running.id));
                }
                let rotation = Rotation {
                    id: ids::new("rot"),
                    target: kek::current(work)? + 1,
                    requested_by: actor,
                };
                // Should the commit fail, a version more is loaded than needed, and it is derived the same the next time.
                keyring.load(rotation.target)?;
                kek::begin(work, &rotation)?;
                hosts::report(work, &keyring.report())?;
                work.record(started(&rotation))?;
                keyring.progress(&rotation.id, 0.0);
                Ok(rotation)
            })
            .await
    }

    /// The rotation that a restart interrupted.
    ///
    /// # Errors
    /// The database's own.
    pub async fn interrupted(&self) -> Result<Option<Rotation>, store::Error> {
        self.store.read("kek_rotations", kek::running).await
    }

    /// Waits until every replica has loaded the version, has new keys wrapped with it, re-wraps until no key is behind, then
    /// forgets the old versions.
    ///
    /// # Errors
    /// When a key cannot be re-wrapped; the old versions stay loaded then.
    pub async fn run(&self, rotation: &Rotation) -> Result<(), RunError> {
        let target = rotation.target;
        let total = self
            .store
            .read("certificates", move |db| kek::behind(db, target))
            .await?;
        self.keyring.progress(&rotation.id, 0.0);
        let mut stop = self.stop.clone();
        loop {
            match self.step(rotation.clone()).await? {
                Step::Complete => {
                    self.keyring.unload_old();
                    self.keyring.progress(&rotation.id, 1.0);
                    return Ok(());
                }
                // Keys may have been replaced meanwhile. While not every replica has switched, some may be added behind the
                // target, and the progress then stays where it was.
                Step::Left(left) => {
                    let done = 1.0 - f64::from(left) / f64::from(total.max(left).max(1));
                    self.keyring.progress(&rotation.id, done.min(0.99));
                }
                Step::Waiting => {
                    let stopped = async {
                        if stop.wait_for(|stop| *stop).await.is_err() {
                            std::future::pending::<()>().await;
                        }
                    };
                    tokio::select! {
                        () = stopped => return Ok(()),
                        () = tokio::time::sleep(POLL) => {}
                    }
                }
            }
        }
    }

    /// Does what can be done in one transaction: switches to the version once every replica has loaded it, re-wraps one batch,
    /// and completes the rotation when none is left and no replica can add one.
    async fn step(&self, rotation: Rotation) -> Result<Step, RunError> {
        let keyring = self.keyring.clone();
        self.store
            .write("update", "certificates", move |work| {
                let laggards = hosts::laggards(work, rotation.target)?;
                keyring.lag(rotation.target, laggards);
                if laggards > 0 {
                    return Ok(Step::Waiting);
                }
                // Keys are sealed inside transactions, so a replica that says it has switched wraps none with an old version after
                // this one.
                kek::switch(work, &rotation.id)?;
                if keyring.report().current != rotation.target {
                    keyring.advance(rotation.target)?;
                    hosts::report(work, &keyring.report())?;
                }
                for key in kek::next_behind(work, rotation.target, BATCH)? {
                    let (version, wrapped) = keyring.rewrap(&key)?;
                    kek::rewrap(work, &key, &wrapped, version)?;
                }
                let left = kek::behind(work, rotation.target)?;
                if left > 0 {
                    return Ok(Step::Left(left));
                }
                let switched = |report: &hosts::Report| report.current == rotation.target;
                if !hosts::all(work)?.iter().all(switched) {
                    return Ok(Step::Waiting);
                }
                if kek::complete(work, &rotation.id)? {
                    work.record(completed(&rotation))?;
                }
                Ok::<_, RunError>(Step::Complete)
            })
            .await
    }
}

fn started(rotation: &Rotation) -> Entry {
    let summary = format!("KEK rotation to version {} started", rotation.target);
    entry(EventType::RotationStarted, rotation, summary).severity(Severity::Warn)
}

fn completed(rotation: &Rotation) -> Entry {
    let summary = format!("KEK rotation to version {} completed", rotation.target);
    entry(EventType::RotationCompleted, rotation, summary)
}

fn entry(event_type: EventType, rotation: &Rotation, summary: String) -> Entry {
    Entry::new(event_type, rotation.requested_by.clone(), summary)
        .resource(format!("kek_rotation:{}", rotation.id))
        .param("target_version", rotation.target)
}
