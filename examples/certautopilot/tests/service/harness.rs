//! A provider, a service, and a client that speaks to it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use cap_telemetry::Telemetry;
use cap_telemetry::egress::Connector;
use certautopilot::acme_server::{AcmeServer, Call};
use certautopilot::{AuditLog, Config, Endpoint, Service};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) const LOOPBACK: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
pub(crate) const CERTIFICATES: &str = "/projects/p1/certificates";

pub(crate) struct Stage {
    pub(crate) provider: AcmeServer,
    pub(crate) service: Service,
    pub(crate) telemetry: Telemetry,
    client: Client<Connector, Full<Bytes>>,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(adjust: impl FnOnce(&mut Config)) -> Self {
        Self::before(AcmeServer::start(LOOPBACK).await.unwrap(), adjust).await
    }

    /// On pipes of its own, which were started with this log.
    pub(crate) async fn on(
        telemetry: Telemetry,
        log: &AuditLog,
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let provider = AcmeServer::start(LOOPBACK).await.unwrap();
        Self::of(provider, telemetry, log, adjust).await
    }

    /// The service ends, and starts again before the same provider.
    pub(crate) async fn restart(self, adjust: impl FnOnce(&mut Config)) -> Self {
        assert!(self.service.stop().await);
        Self::before(self.provider, adjust).await
    }

    async fn before(provider: AcmeServer, adjust: impl FnOnce(&mut Config)) -> Self {
        let telemetry = Telemetry::start(cap_telemetry::Config::default()).unwrap();
        Self::of(provider, telemetry, &AuditLog::default(), adjust).await
    }

    async fn of(
        provider: AcmeServer,
        telemetry: Telemetry,
        log: &AuditLog,
        adjust: impl FnOnce(&mut Config),
    ) -> Self {
        let mut config = Config::default();
        config.listen = LOOPBACK;
        config.backoff = Duration::from_millis(10);
        config.acme_directory = provider.url().parse().unwrap();
        adjust(&mut config);
        let service = Service::start_with(config, telemetry.clone(), log);
        let service = service.await.unwrap();
        let client = Client::builder(TokioExecutor::new()).build(telemetry.connector());
        Stage {
            provider,
            service,
            telemetry,
            client,
        }
    }

    /// One request of Alice's, with further headers.
    pub(crate) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> (u16, Value) {
        let url = format!("http://{}{path}", self.service.address());
        self.send(method, &url, body, headers).await
    }

    async fn send(
        &self,
        method: Method,
        url: &str,
        body: &Value,
        headers: &[(&'static str, &str)],
    ) -> (u16, Value) {
        let mut request = Request::builder()
            .method(method)
            .uri(url.parse::<Uri>().unwrap())
            .header("content-type", "application/json")
            .header("x-actor", "user:alice@example.com");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = if body.is_null() {
            Bytes::new()
        } else {
            body.to_string().into()
        };
        let response = self.client.request(request.body(Full::new(body)).unwrap());
        let (head, body) = response.await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        let body = serde_json::from_slice(&body).unwrap_or(Value::Null);
        (head.status.as_u16(), body)
    }

    pub(crate) async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask(Method::GET, path, &Value::Null, &[]).await;
        assert_eq!(status, 200, "{body}");
        body
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        self.ask(Method::POST, path, body, &[]).await
    }

    /// A request to somebody else; the status of the answer.
    pub(crate) async fn post_to(&self, url: &str, body: &Value) -> u16 {
        self.send(Method::POST, url, body, &[]).await.0
    }

    /// Requests a certificate, and returns its path.
    pub(crate) async fn request(&self, domain: &str) -> String {
        let (status, body) = self.post(CERTIFICATES, &json!({ "domain": domain })).await;
        assert_eq!(status, 202, "{body}");
        format!("{CERTIFICATES}/{}", body["id"].as_str().unwrap())
    }

    /// Requests a certificate, and waits until it is there.
    pub(crate) async fn issue(&self, domain: &str) -> String {
        let path = self.request(domain).await;
        self.status_becomes(&path, "active").await;
        path
    }

    pub(crate) async fn status_becomes(&self, path: &str, status: &str) -> Value {
        self.until(status, async || {
            let certificate = self.get(path).await;
            (certificate["status"] == status).then_some(certificate)
        })
        .await
    }

    /// The first audit event of this type.
    pub(crate) async fn event(&self, event_type: &str) -> Value {
        self.until(event_type, async || {
            let log = self.get("/audit").await;
            let mut events = log["events"].as_array().unwrap().iter();
            events
                .find(|event| event["event_type"] == event_type)
                .cloned()
        })
        .await
    }

    /// The value of a series as the next scrape would show it; 0 when there is none.
    pub(crate) fn metric(&self, series: &str) -> f64 {
        let text = self.telemetry.metrics().render();
        let line = text
            .lines()
            .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Waits until a series has this value.
    pub(crate) async fn metric_becomes(&self, series: &str, value: f64) {
        self.until(series, async || {
            (self.metric(series) == value).then_some(())
        })
        .await;
    }

    /// The statuses that the provider answered at an endpoint.
    pub(crate) fn answered(&self, endpoint: Endpoint) -> Vec<u16> {
        let calls = self.provider.calls().into_iter();
        let there = calls.filter(|call: &Call| call.endpoint == endpoint);
        there.map(|call| call.status).collect()
    }

    pub(crate) async fn until<T>(&self, what: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = look().await {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let found = tokio::time::timeout(PATIENCE, waiting).await;
        found.unwrap_or_else(|_| panic!("still waiting for {what}"))
    }
}
