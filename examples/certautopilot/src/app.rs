//! What requests, jobs and background work share.

use std::sync::{Arc, Mutex};

use cap_telemetry::Telemetry;
use cap_telemetry::settings::{CsrfKey, Form};
use cap_telemetry::trace::Carrier;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::accounts::Sessions;
use crate::acme::Acme;
use crate::certificate::Certificate;
use crate::config::Config;
use crate::failure::Failure;
use crate::job::Job;
use crate::kek::{Keyring, Rotations};
use crate::license::License;
use crate::outbound::Outbound;
use crate::store::kek::Rotation;
use crate::store::{Store, certificates};
use crate::sync::lock;

pub(crate) struct App {
    pub(crate) config: Config,
    pub(crate) telemetry: Telemetry,
    pub(crate) store: Store,
    pub(crate) keyring: Arc<Keyring>,
    pub(crate) acme: Acme,
    pub(crate) outbound: Outbound,
    pub(crate) sessions: Sessions,
    pub(crate) license: Mutex<License>,
    /// The saved syslog settings that this process knows.
    pub(crate) in_force: Mutex<Option<Form>>,
    pub(crate) csrf_key: CsrfKey,
    /// Notified when a job may be due that was not.
    pub(crate) wake: Arc<Notify>,
    /// Becomes true when the service stops.
    pub(crate) stop: watch::Sender<bool>,
    /// Work that outlives the request that began it.
    pub(crate) background: Mutex<JoinSet<()>>,
}

impl App {
    pub(crate) fn rotations(&self) -> Rotations {
        let stop = self.stop.subscribe();
        Rotations::new(self.store.clone(), self.keyring.clone(), stop)
    }

    /// The certificate that a job is about.
    pub(crate) async fn certificate(&self, job: &Job) -> Result<Certificate, Failure> {
        let id = job.certificate.clone().unwrap_or_default();
        let find = move |db: &_| {
            let row = certificates::find(db, &id)?;
            row.ok_or_else(|| Failure::invalid(format!("there is no certificate {id:?}")))
        };
        self.store.read("certificates", find).await
    }

    /// Carries a rotation through in the background, in the trace of the request for it.
    pub(crate) fn finish(&self, rotation: Rotation, asked_by: Carrier) {
        let (rotations, tracer) = (self.rotations(), self.telemetry.tracer().clone());
        let finish = async move { rotations.finish(&tracer, &rotation, &asked_by).await };
        let mut running = lock(&self.background);
        while running.try_join_next().is_some() {}
        running.spawn(finish);
    }
}
