//! The running service: started from a configuration, stopped in order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use cap_telemetry::settings::CsrfKey;
use cap_telemetry::trace::Carrier;
use cap_telemetry::{Telemetry, egress};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::accounts::Sessions;
use crate::acme::{Accounts, Acme, Dns};
use crate::app::App;
use crate::config::Config;
use crate::in_force::InForce;
use crate::kek::{self, Keyring, MasterKey, Rotations};
use crate::license::License;
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::replica::{self, Replica};
use crate::scheduler::Scheduler;
use crate::store::{self, AuditLog, Store, settings};
use crate::tasks::Tasks;
use crate::worker::Worker;
use crate::{gauges, routes};

/// The running service. Dropping it ends it at once; [`stop`](Self::stop) is the orderly way.
#[derive(Debug)]
pub struct Service {
    address: SocketAddr,
    app: Arc<App>,
    stop: watch::Sender<bool>,
    running: JoinSet<()>,
    drain: Duration,
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address cannot be listened on.
    #[error("server.listen: cannot listen on {0}: {1}; choose another address or port")]
    Listen(SocketAddr, io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The authorities of the ACME provider cannot be read.
    #[error("acme.ca_file: {0}: {1}")]
    AcmeCa(PathBuf, io::Error),
    /// The HTTP client has no authorities to trust.
    #[error("acme.ca_file: {0}")]
    Trust(#[from] egress::Error),
    /// The master key cannot be used.
    #[error("kek.master_key: {0}")]
    MasterKey(io::Error),
    /// A KEK version that is in use cannot be loaded.
    #[error(transparent)]
    Kek(#[from] kek::Error),
}

impl Service {
    /// Starts everything, and serves. A provider, relay or collector that is away delays nothing.
    ///
    /// # Errors
    /// When the address, the database or the master key cannot be used.
    pub async fn start(config: Config, telemetry: Telemetry) -> Result<Self, StartError> {
        Self::start_with(config, telemetry, &AuditLog::default()).await
    }

    /// The same, with the log that `telemetry` fills the gaps of a relay from.
    ///
    /// # Errors
    /// When the address, the database or the master key cannot be used.
    pub async fn start_with(
        config: Config,
        telemetry: Telemetry,
        log: &AuditLog,
    ) -> Result<Self, StartError> {
        let listen = |error| StartError::Listen(config.listen, error);
        let listener = TcpListener::bind(config.listen).await.map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        let wake = Arc::new(Notify::new());
        let store = open(&config, &telemetry, wake.clone())?;
        log.open(&store, &config.org_id);
        let queue = Arc::new(Queue::new(store.clone(), telemetry.clone(), wake));
        let master = master_key(&config).map_err(StartError::MasterKey)?;
        let csrf_key = master.secret("certautopilot settings page");
        let csrf_key = CsrfKey::new(&csrf_key.map_err(StartError::MasterKey)?);
        let keyring = Arc::new(keyring(master, &store, &telemetry).await?);
        replica::join(&store, keyring.report(), config.replica_gone_after).await?;

        let outbound = Outbound::new(telemetry.clone(), config.call_timeout, None)?;
        let acme = acme(&config, &telemetry, &outbound)?;
        let installed = |db: &_| settings::get::<License>(db, settings::LICENSE);
        let installed = store.read("settings", installed).await?;
        let license = installed.unwrap_or(License {
            expires_at: config.license_expires_at,
            cert_limit: config.license_cert_limit,
        });
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(App {
            store: store.clone(),
            telemetry: telemetry.clone(),
            queue: queue.clone(),
            rotations: Rotations::new(store.clone(), keyring.clone(), stopping.clone()),
            acme: acme.clone(),
            sessions: Sessions::default(),
            license: Mutex::new(license),
            in_force: InForce::default(),
            csrf_key,
            org_id: config.org_id.clone(),
            background: Mutex::default(),
            draining: AtomicBool::new(false),
        });
        gauges::register(telemetry.metrics(), Arc::downgrade(&app));
        app.in_force.follow(&store, &telemetry).await?;
        if let Some(rotation) = app.rotations.interrupted().await? {
            app.finish(rotation, Carrier::default());
        }

        let worker = Worker {
            queue: queue.clone(),
            store: store.clone(),
            telemetry: telemetry.clone(),
            max_attempts: config.max_attempts,
            backoff: config.backoff,
            tasks: Arc::new(Tasks {
                store: store.clone(),
                telemetry,
                queue: queue.clone(),
                keyring: keyring.clone(),
                acme,
                outbound,
                distribution: config.distribution,
                discovery: config.discovery,
                webhook: config.webhook,
            }),
        };
        let scheduler = Scheduler {
            store,
            queue,
            interval: config.scheduler_interval,
            renew_before: config.renew_before,
        };
        let replica = Replica {
            app: app.clone(),
            keyring,
            interval: config.replica_sync,
            gone_after: config.replica_gone_after,
        };
        let mut running = JoinSet::new();
        for _ in 0..config.workers.get() {
            running.spawn(worker.clone().run(stopping.clone()));
        }
        running.spawn(scheduler.run(stopping.clone()));
        running.spawn(replica.run(stopping.clone()));
        running.spawn(serve(listener, app.clone(), stopping));
        Ok(Self {
            address,
            app,
            stop,
            running,
            drain: config.drain,
        })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its database, with the primary audit log.
    pub fn store(&self) -> &Store {
        &self.app.store
    }

    /// Stops accepting, and waits for the requests, jobs and rotations under way, as long as the
    /// configuration allows; says whether all of it ended. The caller shuts telemetry down
    /// afterwards, so that the last events and spans are still delivered.
    pub async fn stop(mut self) -> bool {
        self.app.draining.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        let drained = async {
            while self.running.join_next().await.is_some() {}
            let background = self.app.background.lock();
            let mut background =
                std::mem::take(&mut *background.unwrap_or_else(PoisonError::into_inner));
            while background.join_next().await.is_some() {}
        };
        tokio::time::timeout(self.drain, drained).await.is_ok()
    }
}

/// The store, with the one place where commits become events, counts and wake-ups.
fn open(config: &Config, telemetry: &Telemetry, wake: Arc<Notify>) -> Result<Store, store::Error> {
    let (forward, org_id) = (telemetry.clone(), config.org_id.clone());
    let on_commit = move |commit: &store::Commit| {
        for entry in &commit.recorded {
            forward.audit(entry.event(&org_id));
        }
        for kind in &commit.queued {
            forward.metrics().jobs().record_queued(kind.as_str());
            wake.notify_one();
        }
    };
    let (host, tracer) = (telemetry.instance_name(), telemetry.tracer().clone());
    Store::open(&config.database, host, tracer, on_commit)
}

fn master_key(config: &Config) -> io::Result<MasterKey> {
    match (&config.master_key, config.database.beside(".key")) {
        (Some(file), _) => MasterKey::at(file.clone()),
        (None, Some(file)) => MasterKey::beside(file),
        (None, None) => Ok(MasterKey::random()),
    }
}

fn acme(config: &Config, telemetry: &Telemetry, outbound: &Outbound) -> Result<Acme, StartError> {
    let directory = &config.acme_directory;
    let dns = config
        .acme_dns
        .as_ref()
        .map(|api| Dns::new(outbound.clone(), api));
    let read = |file: &PathBuf| {
        std::fs::read(file).map_err(|error| StartError::AcmeCa(file.clone(), error))
    };
    let ca = config.acme_ca.as_ref().map(read).transpose()?;
    let outbound = Outbound::new(telemetry.clone(), config.call_timeout, ca.as_deref())?;
    let file = config.database.beside(".acme-account.json");
    Ok(Acme::new(
        outbound,
        directory,
        Accounts::new(directory.to_string(), file),
        dns,
    ))
}

async fn keyring(
    master: MasterKey,
    store: &Store,
    telemetry: &Telemetry,
) -> Result<Keyring, StartError> {
    let versions =
        |db: &_| Ok::<_, store::Error>((store::kek::in_use(db)?, store::kek::current(db)?));
    let (in_use, current) = store.read("kek_rotations", versions).await?;
    let (host, metrics) = (telemetry.instance_name(), telemetry.metrics().clone());
    Ok(Keyring::new(host, master, in_use, current, metrics)?)
}

async fn serve(listener: TcpListener, app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let stop = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    let app = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    // `serve` retries what can go wrong while accepting, and returns no error.
    let _ = axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await;
}
