//! The DNS provider in which the proof of DNS-01 is put (RFC 8555, section 8.4).

use axum::http::header::CONTENT_TYPE;
use axum::http::{Method, Request, Uri};
use bytes::Bytes;
use http_body_util::Full;
use serde_json::json;

use crate::failure::Failure;
use crate::outbound::Outbound;

/// The label of the `provider`.
const PROVIDER: &str = "dns";

/// A DNS server with an API: that of pebble-challtestsrv, whose `set-txt` and `clear-txt` take a name and a value as JSON.
#[derive(Clone, Debug)]
pub(crate) struct Dns {
    outbound: Outbound,
    /// Without a slash at its end.
    api: String,
}

/// A TXT record that proves that a name is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    host: String,
    value: String,
}

impl Proof {
    /// Of this name, or of the wildcard below it.
    pub(super) fn new(name: &str, value: String) -> Self {
        let host = format!("_acme-challenge.{name}.");
        Proof { host, value }
    }
}

impl Dns {
    /// The provider whose API is here.
    pub(crate) fn new(outbound: Outbound, api: &Uri) -> Self {
        let api = api.to_string().trim_end_matches('/').to_owned();
        Dns { outbound, api }
    }

    /// # Errors
    /// When the call fails.
    pub(super) async fn set(&self, proof: &Proof) -> Result<(), Failure> {
        let record = json!({ "host": proof.host, "value": proof.value });
        self.post("set-txt", &record).await
    }

    /// # Errors
    /// When the call fails.
    pub(super) async fn clear(&self, proof: &Proof) -> Result<(), Failure> {
        self.post("clear-txt", &json!({ "host": proof.host })).await
    }

    async fn post(&self, endpoint: &str, body: &serde_json::Value) -> Result<(), Failure> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(format!("{}/{endpoint}", self.api))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| Failure::invalid(format!("acme.dns_url: {error}")))?;
        self.outbound.call(PROVIDER, endpoint, request).await?;
        Ok(())
    }
}
