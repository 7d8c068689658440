//! A listener of its own for `/metrics`, on a thread of its own: the host need not serve it, nor have a runtime.

use std::net::{SocketAddr, TcpListener};
use std::thread;

use cap_metrics::MetricsService;
use tokio::sync::oneshot;

use crate::error::{Error, Kind};

/// Listens until it is dropped.
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
                    tracing::error!(target: "cap_telemetry", %error, "/metrics is not served");
                }
            })
            .map_err(failed)?;
        Ok(Listener {
            address: bound,
            _stop: stop,
        })
    }

    /// Where it listens, with the port that the system chose where 0 was asked for.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

/// Here, and not where it is started, is the runtime made: it must not be dropped inside one of the caller's.
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
