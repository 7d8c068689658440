//! An HTTP/2 connection that ends when it is dropped.

use std::future::Future;
use std::sync::{Arc, Mutex, PoisonError};

use cap_egress::Connector;
use http::Uri;
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper::rt::Executor;
use tokio::task::JoinSet;
use tower_service::Service as _;

use super::super::chunked_body::ChunkedBody;
use super::super::failure::Failure;

pub(super) struct Connection {
    pub(super) requests: SendRequest<ChunkedBody>,
    tasks: Tasks,
}

impl Connection {
    pub(super) async fn open(mut connector: Connector, uri: &Uri) -> Result<Self, Failure> {
        let stream = connector.call(uri.clone()).await;
        let stream = stream.map_err(|error| Failure::no_answer(&error))?;
        let tasks = Tasks::default();
        let (requests, driver) =
            handshake(tasks.clone(), stream).await.map_err(|error| Failure::no_answer(&error))?;
        // Each request on the connection reports why it ended.
        tasks.execute(driver);
        Ok(Self { requests, tasks })
    }
}

/// HTTP/2 would send GOAWAY first and wait for a peer that may be gone.
impl Drop for Connection {
    fn drop(&mut self) {
        self.tasks.with(JoinSet::abort_all);
    }
}

/// The tasks of one connection.
#[derive(Clone, Default)]
struct Tasks(Arc<Mutex<JoinSet<()>>>);

impl Tasks {
    fn with(&self, f: impl FnOnce(&mut JoinSet<()>)) {
        f(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl<F: Future<Output: Send> + Send + 'static> Executor<F> for Tasks {
    fn execute(&self, task: F) {
        self.with(|tasks| {
            while tasks.try_join_next().is_some() {}
            tasks.spawn(async {
                task.await;
            });
        });
    }
}
