//! Where Alertmanager sends its notifications: a webhook that keeps them all.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::sync::watch;

use crate::server::{ANY_PORT, Server, bind_to, listen};
use crate::wait::holds;

/// One notification, of one group of alerts.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[non_exhaustive]
pub struct Notification {
    /// `firing` while one of the alerts is, else `resolved`.
    pub status: String,
    /// The group's alerts.
    pub alerts: Vec<NotifiedAlert>,
}

/// An alert in a notification.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[non_exhaustive]
pub struct NotifiedAlert {
    /// `firing` or `resolved`.
    pub status: String,
    /// Its labels, `alertname` among them.
    pub labels: Map<String, Value>,
    /// Its annotations.
    pub annotations: Map<String, Value>,
}

impl Notification {
    /// Its status, and each alert as its name and the labels that distinguish it from its siblings.
    pub fn said(&self) -> String {
        let mut alerts: Vec<_> = self.alerts.iter().map(NotifiedAlert::said).collect();
        alerts.sort_unstable();
        format!("{} {}", self.status, alerts.join(" + "))
    }
}

impl NotifiedAlert {
    fn said(&self) -> String {
        let common = ["alertname", "job", "severity"];
        let own = (self.labels.iter()).filter(|(name, _)| !common.contains(&name.as_str()));
        let own: Vec<_> = own.map(|(name, value)| format!("{name}={value}")).collect();
        let name = self.labels["alertname"].as_str().unwrap_or_default();
        format!("{name}{{{}}}", own.join(","))
    }
}

/// The webhook.
#[derive(Debug)]
pub struct Webhook {
    server: Server,
    received: Arc<watch::Sender<Vec<Notification>>>,
}

impl Webhook {
    /// Starts one on loopback.
    ///
    /// # Errors
    /// When no port is free.
    pub fn start() -> io::Result<Self> {
        let received = Arc::new(watch::Sender::new(Vec::new()));
        let keep = Arc::clone(&received);
        let listener = bind_to(ANY_PORT, listen)?;
        let server = Server::start(listener, None, move |io| {
            let keep = Arc::clone(&keep);
            async move {
                let answer = service_fn(move |request| take(request, Arc::clone(&keep)));
                let http = hyper::server::conn::http1::Builder::new();
                // A client that closes early has sent nothing.
                let _ = http.serve_connection(TokioIo::new(io), answer).await;
            }
        })?;
        Ok(Self { server, received })
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://{}/", self.server.addr())
    }

    /// Everything received so far, in order.
    pub fn notifications(&self) -> Vec<Notification> {
        self.received.borrow().clone()
    }

    /// Waits until what was received is as wanted; false after `timeout`.
    pub async fn wait_for(
        &self,
        wanted: impl FnMut(&Vec<Notification>) -> bool,
        timeout: Duration,
    ) -> bool {
        holds(&self.received, wanted, timeout).await
    }
}

async fn take(
    request: Request<Incoming>,
    keep: Arc<watch::Sender<Vec<Notification>>>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    let mut answer = Response::new(Empty::new());
    let body = request.into_body().collect().await;
    match body.map(|body| serde_json::from_slice(&body.to_bytes())) {
        Ok(Ok(notification)) => keep.send_modify(|all| all.push(notification)),
        _ => *answer.status_mut() = http::StatusCode::BAD_REQUEST,
    }
    Ok(answer)
}
