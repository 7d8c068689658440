//! A separate listener for `/metrics`, on its own thread. The application needs no runtime for it.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use cap_metrics::MetricsService;
use tokio::sync::oneshot;

use crate::error::{Error, Kind};

/// Listens until dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    _stop: oneshot::Sender<()>,
}

impl Listener {
    pub(crate) fn start(address: SocketAddr, metrics: MetricsService) -> Result<Self, Error> {
        let failed = |source| Kind::Listen { address, source };
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let (stop, stopped) = oneshot::channel::<()>();
        thread::Builder::new()
            .name("cap-metrics".to_owned())
            .spawn(move || {
                if let Err(error) = serve(listener, metrics, stopped) {
                    tracing::error!(target: "cap_telemetry", %error, "/metrics is not served: the listener has no runtime");
                }
            })
            .map_err(failed)?;
        Ok(Self {
            address: bound,
            _stop: stop,
        })
    }

    /// The address it listens on. Where the configured port is 0, this has the port that the system chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// The runtime lives on this thread, since a runtime must not be dropped inside another one.
fn serve(
    listener: TcpListener,
    metrics: MetricsService,
    stopped: oneshot::Receiver<()>,
) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        let stop = async { drop(stopped.await) };
        cap_metrics::serve(listener, metrics, stop).await;
        Ok(())
    })
}
