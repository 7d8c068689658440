//! What every request handler shares.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use cap_telemetry::Telemetry;
use cap_telemetry::settings::CsrfKey;
use cap_telemetry::trace::Carrier;
use tokio::task::JoinSet;

use crate::accounts::Sessions;
use crate::acme::Acme;
use crate::in_force::InForce;
use crate::kek::Rotations;
use crate::license::License;
use crate::queue::Queue;
use crate::store::Store;
use crate::store::kek::Rotation;

/// The service's state.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) store: Store,
    pub(crate) telemetry: Telemetry,
    pub(crate) queue: Arc<Queue>,
    pub(crate) rotations: Rotations,
    pub(crate) acme: Acme,
    pub(crate) sessions: Sessions,
    pub(crate) license: Mutex<License>,
    pub(crate) in_force: InForce,
    pub(crate) csrf_key: CsrfKey,
    pub(crate) org_id: String,
    /// Work that outlives the request that began it.
    pub(crate) background: Mutex<JoinSet<()>>,
    /// Relaxed: no other memory depends on it.
    pub(crate) draining: AtomicBool,
}

impl App {
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// The license that holds now.
    pub(crate) fn license(&self) -> License {
        *self.license.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set_license(&self, license: License) {
        *self.license.lock().unwrap_or_else(PoisonError::into_inner) = license;
    }

    /// Carries a rotation through, in the trace of the request that asked for it.
    pub(crate) fn finish(&self, rotation: Rotation, asked_by: Carrier) {
        let (rotations, tracer) = (self.rotations.clone(), self.telemetry.tracer().clone());
        self.spawn(async move { rotations.finish(&tracer, &rotation, &asked_by).await });
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let mut running = self
            .background
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(work);
    }
}
