//! A separate listener for `/metrics`, on its own thread. The application needs no runtime for it.

use std::io;
use std::net::{SocketAddr, TcpListener};

use cap_egress::worker::Worker;
use cap_metrics::MetricsService;

use crate::error::{Error, Kind};

/// Listens until dropped.
#[derive(Debug)]
pub(crate) struct Listener {
    address: SocketAddr,
    _worker: Worker,
}

impl Listener {
    pub(crate) fn start(address: SocketAddr, metrics: MetricsService) -> Result<Self, Error> {
        let start = || -> io::Result<Self> {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            Ok(Self { address: listener.local_addr()?, _worker: serve(listener, metrics)? })
        };
        start().map_err(|source| Kind::Listen { address, source }.into())
    }

    /// The bound address. Where the configured port is 0, this one has the port that the system
    /// chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

fn serve(listener: TcpListener, metrics: MetricsService) -> io::Result<Worker> {
    Worker::start("cap-metrics", |runtime, mut stop| {
        runtime.run(async move {
            match tokio::net::TcpListener::from_std(listener) {
                Ok(listener) => {
                    cap_metrics::serve(listener, metrics, async move { stop.requested().await })
                        .await;
                }
                Err(error) => {
                    tracing::error!(target: "cap_telemetry", %error, "/metrics is not served");
                }
            }
        });
    })
}
