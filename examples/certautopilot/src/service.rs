//! The running service: started from a configuration, stopped in order.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use cap_telemetry::Telemetry;
use cap_telemetry::settings::CsrfKey;
use cap_telemetry::trace::Carrier;
use chrono::Utc;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::accounts::Sessions;
use crate::acme::{self, Acme};
use crate::app::{App, Background};
use crate::config::Config;
use crate::gauges;
use crate::kek::{self, Keyring, MasterKey, Rotations};
use crate::license::{License, Licensed};
use crate::outbound::Outbound;
use crate::queue::Queue;
use crate::replica::Replica;
use crate::scheduler::Scheduler;
use crate::settings::InForce;
use crate::store::{self, AuditLog, Store, Work, hosts, jobs};
use crate::tasks::Tasks;
use crate::worker::{Retry, Worker};
use crate::{forward, routes};

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
pub enum StartError {
    /// The address cannot be listened on.
    #[error("server.listen: {0} is in use: stop what listens there, or choose another port")]
    InUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("server.listen: cannot listen on {0}: {1}")]
    Listen(SocketAddr, io::Error),
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The authorities of the ACME provider cannot be used.
    #[error("acme.ca_file: {0}: {1}")]
    AcmeCa(PathBuf, Box<dyn std::error::Error + Send + Sync>),
    /// The master key cannot be used.
    #[error("the master key: {0}")]
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

    /// The same with the log that `telemetry` was started with, so that a relay gets from it what it missed.
    ///
    /// # Errors
    /// When the address, the database or the master key cannot be used.
    pub async fn start_with(
        config: Config,
        telemetry: Telemetry,
        log: &AuditLog,
    ) -> Result<Self, StartError> {
        let listener = TcpListener::bind(config.listen).await;
        let listener = listener.map_err(|error| match error.kind() {
            io::ErrorKind::AddrInUse => StartError::InUse(config.listen),
            _ => StartError::Listen(config.listen, error),
        })?;
        let address = listener.local_addr();
        let address = address.map_err(|error| StartError::Listen(config.listen, error))?;

        let store = Store::open(&config.database, Some(telemetry.tracer().clone()))?;
        let queue = Arc::new(Queue::new(store.clone(), telemetry.clone()));
        store.set_host(telemetry.instance_name());
        log.open(&store, telemetry.instance_name(), &config.org_id);
        forward_commits(&store, &queue, &telemetry, &config.org_id);
        let master = master_key(&config).map_err(StartError::MasterKey)?;
        let csrf_key = master.secret("certautopilot settings page");
        let csrf_key = CsrfKey::new(&csrf_key.map_err(StartError::MasterKey)?);
        let keyring = Arc::new(keyring(master, &store, &telemetry).await?);
        let (report, gone) = (keyring.report(), Utc::now() - config.replica_gone_after);
        let join = move |work: &mut Work<'_>| {
            hosts::forget(work, gone)?;
            jobs::requeue_running(work, &report.host)?;
            hosts::report(work, &report)
        };
        store.write("update", "hosts", join).await?;

        let outbound = Outbound::new(telemetry.clone(), config.call_timeout);
        let acme = acme(&config, &telemetry, &outbound)?;
        let installed = store.read("license", store::license::installed).await?;
        let configured = License::new(config.license_expires_at, config.license_cert_limit);
        let (stop, stopping) = watch::channel(false);
        let app = Arc::new(App {
            store: store.clone(),
            telemetry: telemetry.clone(),
            queue: queue.clone(),
            rotations: Rotations::new(store.clone(), keyring.clone(), stopping.clone()),
            acme: acme.clone(),
            sessions: Sessions::default(),
            license: Licensed::new(installed.unwrap_or(configured)),
            in_force: InForce::default(),
            csrf_key,
            org_id: config.org_id.clone(),
            background: Background::default(),
            draining: AtomicBool::new(false),
        });
        gauges::register(telemetry.metrics(), Arc::downgrade(&app));
        app.in_force.follow(&app.store, &app.telemetry).await?;
        resume_rotation(&app).await?;

        let worker = Worker {
            queue: queue.clone(),
            store: store.clone(),
            telemetry,
            retry: Retry {
                max_attempts: config.max_attempts,
                backoff: config.backoff,
            },
            tasks: Arc::new(Tasks {
                store: store.clone(),
                telemetry: app.telemetry.clone(),
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

        let mut running = JoinSet::new();
        for _ in 0..config.workers.get() {
            running.spawn(worker.clone().run(stopping.clone()));
        }
        running.spawn(scheduler.run(stopping.clone()));
        let replica = Replica {
            app: app.clone(),
            keyring,
            interval: config.replica_sync,
            gone_after: config.replica_gone_after,
        };
        running.spawn(replica.run(stopping.clone()));
        running.spawn(serve(listener, app.clone(), stopping));
        Ok(Service {
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

    /// Stops accepting, and waits for the requests, jobs and rotations under way, as long as the configuration allows. The
    /// caller shuts telemetry down afterwards, so that what they did is still delivered. Says whether all of it ended.
    pub async fn stop(mut self) -> bool {
        self.app.draining.store(true, Ordering::Relaxed);
        self.stop.send_replace(true);
        let drained = async {
            while self.running.join_next().await.is_some() {}
            let mut background = self.app.background.take();
            while background.join_next().await.is_some() {}
        };
        tokio::time::timeout(self.drain, drained).await.is_ok()
    }
}

/// The one place where commits become events, counts and wake-ups.
fn forward_commits(store: &Store, queue: &Arc<Queue>, telemetry: &Telemetry, org_id: &str) {
    // The hook lives in the store, which the queue holds.
    let queue = Arc::downgrade(queue);
    let (telemetry, org_id) = (telemetry.clone(), org_id.to_owned());
    store.on_commit(move |commit| {
        for entry in &commit.recorded {
            telemetry.audit(forward::event(entry, &org_id));
        }
        if let Some(queue) = queue.upgrade() {
            queue.queued(&commit.queued);
        }
    });
}

fn master_key(config: &Config) -> io::Result<MasterKey> {
    match &config.master_key {
        Some(file) => MasterKey::at(file),
        None => MasterKey::beside(&config.database),
    }
}

fn acme(config: &Config, telemetry: &Telemetry, outbound: &Outbound) -> Result<Acme, StartError> {
    let directory = &config.acme_directory;
    let dns = config.acme_dns.as_ref();
    let dns = dns.map(|api| acme::Dns::new(outbound.clone(), api));
    let outbound = match &config.acme_ca {
        None => outbound.clone(),
        Some(file) => {
            let pem =
                std::fs::read(file).map_err(|error| StartError::AcmeCa(file.clone(), error.into()));
            Outbound::trusting(&pem?, telemetry.clone(), config.call_timeout)
                .map_err(|error| StartError::AcmeCa(file.clone(), error.into()))?
        }
    };
    let accounts = acme::Accounts::beside(&config.database, directory.to_string());
    Ok(Acme::new(outbound, directory, accounts, dns))
}

async fn keyring(
    master: MasterKey,
    store: &Store,
    telemetry: &Telemetry,
) -> Result<Keyring, StartError> {
    let versions = store.read("kek_rotations", |db| {
        Ok::<_, store::Error>((store::kek::in_use(db)?, store::kek::current(db)?))
    });
    let (in_use, current) = versions.await?;
    let (host, metrics) = (telemetry.instance_name(), telemetry.metrics().clone());
    Ok(Keyring::new(host, master, in_use, current, metrics)?)
}

async fn resume_rotation(app: &Arc<App>) -> Result<(), store::Error> {
    if let Some(rotation) = app.rotations.interrupted().await? {
        let (rotations, telemetry) = (app.rotations.clone(), app.telemetry.clone());
        app.background.spawn(async move {
            kek::finish(&rotations, &telemetry, &rotation, &Carrier::default()).await;
        });
    }
    Ok(())
}

async fn serve(listener: TcpListener, app: Arc<App>, mut stopping: watch::Receiver<bool>) {
    let stop = async move {
        let _ = stopping.wait_for(|stop| *stop).await;
    };
    // `serve` retries what can go wrong while accepting, and returns no error.
    let app = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    let _ = axum::serve(listener, app)
        .with_graceful_shutdown(stop)
        .await;
}
