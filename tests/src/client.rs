//! Requests to the reference service, as a person's or a program's.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::rt::TokioExecutor;
use serde_json::Value;

use crate::Http;

#[derive(Debug)]
pub(crate) struct Client {
    http: Http<Full<Bytes>>,
    addr: SocketAddr,
    sent: AtomicU64,
}

impl Client {
    pub(crate) fn new(addr: SocketAddr) -> Self {
        Client {
            http: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http(),
            addr,
            sent: AtomicU64::new(0),
        }
    }

    /// How many requests were answered.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Sends a request. Returns the answer's JSON if the status is the expected one.
    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        body: Value,
        expected: StatusCode,
    ) -> io::Result<Value> {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = Request::builder()
            .method(method.clone())
            .uri(format!("http://{}{path}", self.addr))
            .header("content-type", "application/json")
            .header("x-actor", "user:alice@example.com")
            .body(Full::from(body))
            .map_err(io::Error::other)?;
        let answer = self.http.request(request).await.map_err(io::Error::other)?;
        let status = answer.status();
        let body = answer.into_body().collect().await.map_err(io::Error::other)?.to_bytes();
        self.sent.fetch_add(1, Ordering::Relaxed);
        if status != expected {
            let body = String::from_utf8_lossy(&body);
            return Err(io::Error::other(format!(
                "{method} {path} answered {status} instead of {expected}: {body}"
            )));
        }
        if body.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_slice(&body).map_err(io::Error::other)
    }
}
