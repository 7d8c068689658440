//! A provider, a service, and a client that speaks to it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::http::{Method, Request};
use bytes::Bytes;
use cap_telemetry::Telemetry;
use cap_telemetry::egress::Connector;
use cap_testkit::{ANY_PORT, LONG, until_async};
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use certautopilot::{AuditLog, Config, Endpoint, Service};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

pub(crate) const CERTIFICATES: &str = "/projects/p1/certificates";

pub(crate) struct Stage {
    pub(crate) provider: AcmeServer,
    pub(crate) service: Service,
    pub(crate) telemetry: Telemetry,
    client: Client<Connector, Full<Bytes>>,
}

/// A database in this folder.
pub(crate) fn database(folder: &Path) -> PathBuf {
    folder.join("service.sqlite")
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        Self::before(AcmeServer::start(ANY_PORT).await.unwrap(), adjust).await
    }

    /// The service ends, and starts again before the same provider.
    pub(crate) async fn restart(self, adjust: impl FnOnce(&mut Config)) -> Self {
        assert!(self.service.stop().await);
        Self::before(self.provider, adjust).await
    }

    pub(crate) async fn before(provider: AcmeServer, adjust: impl FnOnce(&mut Config)) -> Self {
        let telemetry = Telemetry::start(cap_telemetry::Config::default()).unwrap();
        Self::on(provider, telemetry, &AuditLog::default(), adjust).await
    }

    /// On pipelines of its own, which were started with this log.
    pub(crate) async fn on(
        provider: AcmeServer,
        telemetry: Telemetry,
        log: &AuditLog,
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::default();
        config.listen = ANY_PORT;
        config.backoff = Duration::from_millis(10);
        config.acme_directory = provider.url().parse().unwrap();
        adjust(&mut config);
        let service = Service::start_with(config, telemetry.clone(), log).await.unwrap();
        let client = Client::builder(TokioExecutor::new()).build(telemetry.connector());
        Self { provider, service, telemetry, client }
    }

    /// One request of Alice's, with further headers.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> (u16, Value) {
        let url = match path.strip_prefix('/') {
            Some(path) => format!("http://{}/{path}", self.service.address()),
            None => path.to_owned(),
        };
        let mut request = Request::builder().method(method).uri(url);
        let always = [("content-type", "application/json"), ("x-actor", "user:alice@example.com")];
        for (name, value) in always.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = request.body(Full::from(body)).unwrap();
        let (head, body) = self.client.request(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        (head.status.as_u16(), serde_json::from_slice(&body).unwrap_or_default())
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, &Value::Null, &[]).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(Method::POST, path, body, &[]).await
    }

    pub(crate) async fn put(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(Method::PUT, path, body, &[]).await
    }

    /// The token of a user who logs in.
    pub(crate) async fn log_in(&self, user: &str) -> String {
        let login = json!({ "user": user, "password": "correct horse battery staple" });
        let (status, session) = self.post("/auth/login", &login).await;
        assert_eq!(status, 200);
        session["token"].as_str().unwrap().to_owned()
    }

    /// Requests a certificate, and returns its path.
    pub(crate) async fn request(&self, domain: &str) -> String {
        let (status, body) = self.post(CERTIFICATES, &json!({ "domain": domain })).await;
        assert_eq!(status, 202, "{body}");
        format!("{CERTIFICATES}/{}", body["id"].as_str().unwrap())
    }

    /// Requests a certificate, and waits until it is issued.
    pub(crate) async fn issue(&self, domain: &str) -> String {
        let path = self.request(domain).await;
        self.becomes(&path, "status", "active").await;
        path
    }

    /// Waits until a field of a resource has this value.
    pub(crate) async fn becomes(&self, path: &str, field: &str, value: impl Into<Value>) -> Value {
        let value = value.into();
        let look = async || Some(self.get(path).await).filter(|it| it[field] == value);
        until_async(format!("{field} {value} of {path}"), LONG, look).await
    }

    /// The first audit event of this type.
    pub(crate) async fn event(&self, event_type: &str) -> Value {
        let look = async || {
            let log = self.get("/audit").await;
            let mut events = log["events"].as_array().unwrap().iter();
            events.find(|event| event["event_type"] == event_type).cloned()
        };
        until_async(event_type, LONG, look).await
    }

    /// The value of a series as the next scrape would show it; 0 when there is none.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.telemetry.metrics().render();
        let mut lines = text.lines();
        let value = lines.find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        value.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until a series has this value.
    pub(crate) async fn metric_becomes(&self, series: &str, value: f64) {
        until_async(series, LONG, async || self.metric(series) == value).await;
    }

    pub(crate) fn inject(&self, endpoint: Endpoint, kind: FaultKind, times: u32) {
        self.provider.inject(Fault::new(endpoint, kind).times(times));
    }

    /// The statuses that the provider answered at an endpoint.
    pub(crate) fn answered(&self, endpoint: Endpoint) -> Vec<u16> {
        let calls = self.provider.calls().into_iter();
        calls.filter(|call| call.endpoint == endpoint).map(|call| call.status).collect()
    }
}
