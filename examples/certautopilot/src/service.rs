//! The running service: started from a configuration, stopped in order.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use cap_telemetry::Telemetry;
use cap_telemetry::settings::CsrfKey;
use cap_telemetry::trace::Carrier;
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

use crate::accounts::Sessions;
use crate::acme::Acme;
use crate::app::App;
use crate::config::Config;
use crate::kek::{Keyring, MasterKey};
use crate::outbound::Outbound;
use crate::store::{self, AuditLog, Store, kek};
use crate::sync::lock;
use crate::{beside, gauges, replica, routes, worker};

/// The running service. Dropping it ends it at once; [`stop`](Self::stop) is the orderly way.
pub struct Service {
    address: SocketAddr,
    app: Arc<App>,
    running: JoinSet<()>,
}

/// Why the service did not start: the setting at fault, and the cause.
#[derive(Debug, thiserror::Error)]
#[error("{0}: {1}")]
pub struct StartError(String, #[source] Box<dyn std::error::Error + Send + Sync>);

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
        let listen = format!("server.listen: cannot listen on {}", config.listen);
        let listener = TcpListener::bind(config.listen).await.map_err(at(&listen))?;
        let address = listener.local_addr().map_err(at(&listen))?;
        let wake = Arc::new(Notify::new());
        let store = open(&config, &telemetry, wake.clone()).map_err(at("the database"))?;
        log.open(&store, &config.org_id);
        let master = master_key(&config).map_err(at("kek.master_key"))?;
        let csrf_key = master.secret("certautopilot settings page");
        let csrf_key = CsrfKey::new(&csrf_key.map_err(at("kek.master_key"))?);
        let versions = |db: &_| Ok::<_, store::Error>((kek::in_use(db)?, kek::current(db)?));
        let versions = store.read("kek_rotations", versions).await.map_err(at("the database"))?;
        let (host, metrics) = (telemetry.instance_name(), telemetry.metrics().clone());
        let keyring = Keyring::new(host, master, versions, metrics);
        let outbound = Outbound::new(telemetry.clone(), config.call_timeout, None)
            .map_err(at("the trust store"))?;
        let app = Arc::new(App {
            keyring: Arc::new(keyring.map_err(at("kek.master_key"))?),
            acme: acme(&config, &telemetry, &outbound)?,
            outbound,
            sessions: Sessions::default(),
            license: Mutex::new(config.license),
            in_force: Mutex::default(),
            csrf_key,
            wake,
            stop: watch::Sender::new(false),
            background: Mutex::default(),
            config,
            telemetry,
            store,
        });
        replica::join(&app).await.map_err(at("the database"))?;
        gauges::register(app.telemetry.metrics(), Arc::downgrade(&app));
        let interrupted = app.store.read("kek_rotations", kek::running).await;
        if let Some(rotation) = interrupted.map_err(at("the database"))? {
            app.finish(rotation, Carrier::default());
        }
        let stop = || app.stop.subscribe();
        let mut running = JoinSet::new();
        for _ in 0..app.config.workers.get() {
            running.spawn(worker::run(app.clone(), stop()));
        }
        running.spawn(worker::schedule(app.clone(), stop()));
        running.spawn(replica::run(app.clone(), stop()));
        running.spawn(serve(listener, app.clone(), stop()));
        Ok(Self { address, app, running })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops accepting, and waits for the requests, jobs and rotations under way, as long as the
    /// configuration allows; says whether all of it ended. The caller shuts telemetry down
    /// afterwards, so that the last events and spans are still delivered.
    pub async fn stop(mut self) -> bool {
        self.app.stop.send_replace(true);
        let drained = async {
            while self.running.join_next().await.is_some() {}
            let mut background = std::mem::take(&mut *lock(&self.app.background));
            while background.join_next().await.is_some() {}
        };
        tokio::time::timeout(self.app.config.drain, drained).await.is_ok()
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service").field("address", &self.address).finish_non_exhaustive()
    }
}

fn at<E: Into<Box<dyn std::error::Error + Send + Sync>>>(place: &str) -> impl Fn(E) -> StartError {
    move |error| StartError(place.to_owned(), error.into())
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
    match (&config.master_key, beside::path(&config.database, ".key")) {
        (Some(file), _) => MasterKey::at(file.clone()),
        (None, Some(file)) => MasterKey::beside(file),
        (None, None) => Ok(MasterKey::random()),
    }
}

fn acme(config: &Config, telemetry: &Telemetry, outbound: &Outbound) -> Result<Acme, StartError> {
    let directory = config.acme_directory.to_string();
    let api = config.acme_dns.as_ref().map(|api| api.to_string().trim_end_matches('/').to_owned());
    let dns = api.map(|api| (outbound.clone(), api));
    let read = |file| std::fs::read(file).map_err(at("acme.ca_file"));
    let ca = config.acme_ca.as_ref().map(read).transpose()?;
    let outbound = Outbound::new(telemetry.clone(), config.call_timeout, ca.as_deref())
        .map_err(at("acme.ca_file"))?;
    let file = beside::path(&config.database, ".acme-account.json");
    Ok(Acme { outbound, directory, file, account: Default::default(), dns })
}

async fn serve(listener: TcpListener, app: Arc<App>, mut stop: watch::Receiver<bool>) {
    let stopped = async move {
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let app = routes::router(app).into_make_service_with_connect_info::<SocketAddr>();
    // `serve` retries what can go wrong while accepting, and returns no error.
    let _ = axum::serve(listener, app).with_graceful_shutdown(stopped).await;
}
