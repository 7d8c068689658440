//! Test support: a small ACME provider (RFC 8555) that signs real certificates, fails on request
//! and remembers its calls. It verifies no signature and no proof; Pebble does both.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{any, post};
use cap_telemetry::egress::{Connector, Guard, Policy, Trust};
use cap_telemetry::trace::{Config, SampleRate, TraceLayer, Tracer};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod fault;
mod protocol;

pub use fault::{Fault, FaultKind};
pub use protocol::Call;

use protocol::Provider;

/// `service.name` in the resource of the provider's own spans.
pub const SERVICE_NAME: &str = "acme-server";

/// How long open requests may take to end when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// A running provider. Dropping it stops it.
#[derive(Debug)]
pub struct AcmeServer {
    address: SocketAddr,
    provider: Arc<Provider>,
    stop: watch::Sender<bool>,
    serving: JoinHandle<()>,
}

impl AcmeServer {
    /// Starts a provider with a new certificate authority; port 0 lets the system choose one.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start(address: SocketAddr) -> io::Result<Self> {
        Self::start_traced(address, Tracer::disabled()).await
    }

    /// The same, with a server span for each answer, in the trace of its caller.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start_traced(address: SocketAddr, tracer: Tracer) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let provider = Provider::new(format!("http://{address}")).map_err(io::Error::other)?;
        let provider = Arc::new(provider);
        let router = Router::new()
            .route("/{endpoint}", any(protocol::answer))
            .route("/{endpoint}/{order}", any(protocol::answer))
            .route("/inject", post(protocol::inject))
            .layer(TraceLayer::new(tracer))
            .with_state(provider.clone());
        let (stop, mut stopping) = watch::channel(false);
        let server = axum::serve(listener, router).with_graceful_shutdown(async move {
            let _ = stopping.wait_for(|stop| *stop).await;
        });
        let serving = tokio::spawn(async move {
            // `serve` retries what can go wrong while accepting, and returns no error.
            let _ = server.await;
        });
        Ok(Self { address, provider, stop, serving })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its directory.
    pub fn url(&self) -> String {
        self.provider.url("directory", "")
    }

    /// The certificate of its authority, in PEM.
    pub fn authority(&self) -> &str {
        &self.provider.pem
    }

    /// Makes calls fail, wait, or give short-lived certificates. Faults apply in the order of
    /// their injection.
    pub fn inject(&self, fault: Fault) {
        self.provider.state().faults.push(fault);
    }

    /// Takes every fault back.
    pub fn clear_faults(&self) {
        self.provider.state().faults.clear();
    }

    /// The latest 10,000 calls answered so far, oldest first.
    pub fn calls(&self) -> Vec<Call> {
        self.provider.state().calls.iter().cloned().collect()
    }

    /// Stops listening, and aborts the requests that are still open after a second.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let _ = tokio::time::timeout(STOP_GRACE, &mut self.serving).await;
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.serving.abort();
    }
}

/// The provider's own span pipeline to the collector at `endpoint`. It samples every answer
/// unless the caller decided otherwise.
///
/// # Errors
/// What is wrong with the endpoint, or with the system's trust store.
pub fn tracing_to(endpoint: &str) -> Result<Tracer, String> {
    let mut config = Config::new(
        endpoint.parse().map_err(|error: cap_telemetry::trace::SettingError| error.to_string())?,
    );
    config.sample_rate = SampleRate::ALL;
    config.resource = [("service.name".to_owned(), SERVICE_NAME.to_owned())].into();
    let trust = Trust::system().map_err(|error| error.to_string())?;
    let connector = Connector::new(Guard::new(Policy::default()), trust);
    Tracer::start(config, connector).map_err(|error| error.to_string())
}
