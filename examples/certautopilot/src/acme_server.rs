//! A small ACME provider (RFC 8555) to call, in process or on its own: it signs real certificates, fails on request, remembers who
//! called, and can trace its answers as any service does. It takes anybody's word for a name.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use cap_telemetry::trace::Tracing;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

mod authority;
mod calls;
mod endpoints;
mod faults;
mod injection;
mod orders;
mod signed;
mod spans;
mod wire;

pub use calls::Call;
pub use faults::{Fault, FaultKind};
pub use spans::{SERVICE_NAME, tracing_to};

use endpoints::Provider;

/// How long open requests may take to end when the server stops.
const STOP_GRACE: Duration = Duration::from_secs(1);

/// A running provider. It stops when it is dropped.
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
        Self::start_traced(address, Tracing::disabled()).await
    }

    /// The same, with a span of this pipe for each answer, in the trace of whoever called.
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn start_traced(address: SocketAddr, tracing: Tracing) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let provider = Provider::new(&format!("http://{address}")).map_err(io::Error::other)?;
        let provider = Arc::new(provider);
        let (stop, mut stopping) = watch::channel(false);
        let server = axum::serve(listener, endpoints::router(provider.clone(), tracing))
            .with_graceful_shutdown(async move {
                let _ = stopping.wait_for(|stop| *stop).await;
            });
        let serving = tokio::spawn(async move {
            // `serve` retries what can go wrong while accepting, and returns no error.
            let _ = server.await;
        });
        Ok(AcmeServer {
            address,
            provider,
            stop,
            serving,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The URL of its directory.
    pub fn url(&self) -> String {
        self.provider.url("/directory")
    }

    /// The certificate of its authority, in PEM.
    pub fn authority(&self) -> &str {
        self.provider.authority()
    }

    /// Makes calls fail, wait, or give short-lived certificates. Faults apply in the order of their injection.
    pub fn inject(&self, fault: Fault) {
        self.provider.faults().inject(fault);
    }

    /// Takes every fault back.
    pub fn clear_faults(&self) {
        self.provider.faults().clear();
    }

    /// The calls answered so far, oldest first; of very many only the latest.
    pub fn calls(&self) -> Vec<Call> {
        self.provider.calls().list()
    }

    /// Stops listening, and ends the requests that are still open after a second.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        if tokio::time::timeout(STOP_GRACE, &mut self.serving)
            .await
            .is_err()
        {
            self.serving.abort();
        }
    }
}

impl Drop for AcmeServer {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        self.serving.abort();
    }
}
