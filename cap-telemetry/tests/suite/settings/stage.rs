//! An application with the settings page: who sends what, and what it persisted.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, to_bytes};
use cap_telemetry::Telemetry;
use cap_telemetry::names::Actor;
use cap_telemetry::settings::{
    AccessError, AuditRecord, CsrfKey, PersistError, SettingsBackend, SettingsPage,
};
use http::request::Parts;
use http::{Method, Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::support;

pub(crate) const JSON: &str = "application/json";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

/// Method and path of every route, and the type of the body it takes.
pub(crate) const ROUTES: [(Method, &str, &str); 9] = [
    (Method::GET, "", ""),
    (Method::PUT, "", JSON),
    (Method::POST, "/test", JSON),
    (Method::GET, "/status", ""),
    (Method::GET, "/page", ""),
    (Method::POST, "/page", FORM),
    (Method::POST, "/page-test", FORM),
    (Method::GET, "/page.css", ""),
    (Method::GET, "/page.js", ""),
];

/// Trusts the header `x-user`, and remembers what it persisted.
#[derive(Clone, Default)]
pub(crate) struct Product {
    pub(crate) persisted: Arc<Mutex<Vec<AuditRecord>>>,
    pub(crate) full: bool,
}

impl SettingsBackend for Product {
    async fn authorize(&self, request: &Parts) -> Result<Actor, AccessError> {
        match request.headers.get("x-user").and_then(|user| user.to_str().ok()) {
            None => Err(AccessError::Unauthenticated),
            Some("viewer") => Err(AccessError::Forbidden),
            Some(user) => Ok(Actor::user(user)),
        }
    }

    async fn persist(&self, record: &AuditRecord) -> Result<(), PersistError> {
        if self.full {
            return Err("the disk is full: secret path".into());
        }
        self.persisted.lock().unwrap().push(record.clone());
        Ok(())
    }
}

pub(crate) struct Stage {
    pub(crate) telemetry: Telemetry,
    pub(crate) product: Product,
    app: Router,
    pub(crate) token: String,
}

pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: http::HeaderMap,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("{}", self.body))
    }
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(Product::default(), "instance_name: here").await
    }

    pub(crate) async fn with(product: Product, text: &str) -> Self {
        let telemetry = support::start(text);
        let page =
            SettingsPage::new(telemetry.clone(), product.clone()).csrf_key(CsrfKey::new(&[7; 32]));
        let app = Router::new().nest("/settings/syslog", page.router());
        let mut stage = Stage { telemetry, product, app, token: String::new() };
        stage.token = stage.token_of("alice").await;
        stage
    }

    pub(crate) async fn token_of(&self, user: &str) -> String {
        let shown = self.send(Method::GET, "", user, "", &[]).await.json();
        shown["csrf_token"].as_str().unwrap().to_owned()
    }

    /// The settings that alice sees.
    pub(crate) async fn shown(&self) -> Value {
        let shown = self.send(Method::GET, "", "alice", "", &[]).await.json();
        shown["settings"].clone()
    }

    /// A request to a route with settings of its type, from this user with this token.
    pub(crate) async fn attempt(
        &self,
        (method, path, content_type): (Method, &str, &str),
        user: &str,
        token: &str,
        header: Option<(&str, &str)>,
    ) -> Answer {
        let body = match content_type {
            JSON => relay(601).to_string(),
            _ => encoded(&[("enabled", "true"), ("host", "127.0.0.1"), ("csrf_token", token)]),
        };
        let mut headers = vec![("content-type", content_type), ("x-csrf-token", token)];
        headers.extend(header);
        self.send(method, path, user, &body, &headers).await
    }

    /// Nothing was persisted, and syslog stays off.
    pub(crate) fn is_untouched(&self) -> bool {
        self.telemetry.syslog().is_none() && self.persisted().is_empty()
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        user: &str,
        body: &str,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(format!("/settings/syslog{path}"));
        if !user.is_empty() {
            request = request.header("x-user", user);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Body::from(body.to_owned())).unwrap();
        let (parts, body) = self.app.clone().oneshot(request).await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    }

    /// A JSON request of alice, with her token.
    pub(crate) async fn json(&self, method: Method, path: &str, body: &Value) -> Answer {
        let headers = [("content-type", JSON), ("x-csrf-token", self.token.as_str())];
        self.send(method, path, "alice", &body.to_string(), &headers).await
    }

    pub(crate) async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut fields = fields.to_vec();
        fields.push(("csrf_token", &self.token));
        let body = encoded(&fields);
        let headers = [("content-type", FORM)];
        self.send(Method::POST, path, "alice", &body, &headers).await
    }

    pub(crate) fn persisted(&self) -> Vec<String> {
        let records = self.product.persisted.lock().unwrap();
        records
            .iter()
            .map(|record| format!("{}: {}", record.event_type(), record.summary()))
            .collect()
    }
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            out.push_str(&format!("%{byte:02X}"));
            out
        })
    };
    let pairs = fields.iter().map(|(name, text)| format!("{name}={}", escape(text)));
    pairs.collect::<Vec<_>>().join("&")
}

pub(crate) fn relay(port: u16) -> Value {
    json!({ "enabled": true, "host": "127.0.0.1", "port": port, "transport": "tcp" })
}
