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
use crate::config::{Config, License};
use crate::failure::Failure;
use crate::job::Job;
use crate::kek::{Keyring, Rotations};
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
        let (store, keyring) = (self.store.clone(), self.keyring.clone());
        Rotations { store, keyring, stop: self.stop.subscribe() }
    }

    /// Puts a job into the current trace: it carries the context of the span that enqueues it.
    /// Insert it in the transaction that makes it necessary.
    pub(crate) fn enqueue(&self, mut job: Job) -> Job {
        job.carrier = self.telemetry.tracer().enqueue(job.kind.as_str(), &job.id).carrier();
        job
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
        let tracer = self.telemetry.tracer().clone();
        let mut running = lock(&self.background);
        while running.try_join_next().is_some() {}
        running.spawn(self.rotations().finish(tracer, rotation, asked_by));
    }
}
