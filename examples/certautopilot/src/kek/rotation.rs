//! Rotating the KEK: load the next version, re-wrap every stored key, forget the old versions.

use std::sync::Arc;

use cap_telemetry::names::{Actor, Severity};

use super::{Error, Keyring};
use crate::ids;
use crate::store::audit::{Entry, EventType};
use crate::store::kek::{self, Rotation};
use crate::store::{self, Store};

/// Keys re-wrapped in one transaction.
const BATCH: u32 = 50;

/// Starts rotations and carries them through.
#[derive(Clone, Debug)]
pub struct Rotations {
    store: Store,
    keyring: Arc<Keyring>,
}

/// Why a rotation did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// One is running.
    #[error("rotation {0} is running: one at a time")]
    Running(String),
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

impl Rotations {
    /// Rotations of the keys in `store`.
    pub fn new(store: Store, keyring: Arc<Keyring>) -> Self {
        Rotations { store, keyring }
    }

    /// Begins a rotation to the next version, which wraps from now on. [`run`](Self::run) does the rest.
    ///
    /// # Errors
    /// When one is running already.
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
                kek::begin(work, &rotation)?;
                work.record(started(&rotation))?;
                // Keys are sealed inside transactions, so none is wrapped with the old version after this one. Should the
                // commit fail, a version more is loaded than needed, and it is derived the same the next time.
                keyring.advance(rotation.target);
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

    /// Re-wraps until no key is behind, then forgets the old versions.
    ///
    /// # Errors
    /// When a key cannot be re-wrapped; the old versions stay loaded then.
    pub async fn run(&self, rotation: &Rotation) -> Result<(), RunError> {
        let target = rotation.target;
        let total = self
            .store
            .read("certificates", move |db| kek::behind(db, target))
            .await?;
        loop {
            let left = self.step(rotation.clone()).await?;
            if left == 0 {
                return Ok(());
            }
            // Keys may have been replaced meanwhile, never added behind the target: `left` only shrinks.
            let done = 1.0 - f64::from(left) / f64::from(total.max(left));
            self.keyring.progress(&rotation.id, done);
        }
    }

    /// Re-wraps one batch, and completes the rotation in the transaction that finds none left.
    async fn step(&self, rotation: Rotation) -> Result<u32, RunError> {
        let keyring = self.keyring.clone();
        self.store
            .write("update", "certificates", move |work| {
                for key in kek::next_behind(work, rotation.target, BATCH)? {
                    let (version, wrapped) = keyring.rewrap(&key)?;
                    kek::rewrap(work, &key, &wrapped, version)?;
                }
                let left = kek::behind(work, rotation.target)?;
                if left == 0 {
                    kek::complete(work, &rotation.id)?;
                    work.record(completed(&rotation))?;
                }
                Ok::<_, RunError>((left, rotation))
            })
            .await
            .map(|(left, rotation)| {
                if left == 0 {
                    self.keyring.unload_old();
                    self.keyring.progress(&rotation.id, 1.0);
                }
                left
            })
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
