//! What every request handler shares.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cap_telemetry::Telemetry;
use cap_telemetry::settings::CsrfKey;
use tokio::task::JoinSet;

use crate::accounts::Sessions;
use crate::acme::Acme;
use crate::kek::Rotations;
use crate::license::Licensed;
use crate::queue::Queue;
use crate::settings::InForce;
use crate::store::Store;

/// The service's state.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) telemetry: Telemetry,
    pub(crate) queue: Arc<Queue>,
    pub(crate) rotations: Rotations,
    pub(crate) acme: Acme,
    pub(crate) sessions: Sessions,
    pub(crate) license: Licensed,
    pub(crate) in_force: InForce,
    pub(crate) csrf_key: CsrfKey,
    pub(crate) org_id: String,
    pub(crate) background: Background,
    pub(crate) draining: AtomicBool,
}

impl App {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }
}

/// Work that outlives the request that began it.
#[derive(Debug, Default)]
pub(crate) struct Background(Mutex<JoinSet<()>>);

impl Background {
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(work);
    }

    /// Hands over what is still running.
    pub(crate) fn take(&self) -> JoinSet<()> {
        let mut running = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *running)
    }
}
