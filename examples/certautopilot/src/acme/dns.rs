//! The DNS provider that holds the proof of DNS-01 (RFC 8555, section 8.4).

use axum::http::Uri;
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::outbound::Outbound;

/// The label of the `provider`.
const PROVIDER: &str = "dns";

/// A DNS server with the API of pebble-challtestsrv: `set-txt` and `clear-txt` take a name and a
/// value as JSON.
#[derive(Clone)]
pub(crate) struct Dns {
    outbound: Outbound,
    /// Without a slash at its end.
    api: String,
}

impl Dns {
    /// The DNS server whose API is here.
    pub(crate) fn new(outbound: Outbound, api: &Uri) -> Self {
        let api = api.to_string().trim_end_matches('/').to_owned();
        Self { outbound, api }
    }

    /// Proves that a name, or the wildcard below it, is held.
    pub(super) async fn set(&self, name: &str, value: &str) -> Result<(), Failure> {
        self.post("set-txt", json!({ "host": host(name), "value": value })).await
    }

    /// Removes the proof for a name.
    pub(super) async fn clear(&self, name: &str) -> Result<(), Failure> {
        self.post("clear-txt", json!({ "host": host(name) })).await
    }

    async fn post(&self, endpoint: &str, body: Value) -> Result<(), Failure> {
        let url = format!("{}/{endpoint}", self.api);
        self.outbound.post(PROVIDER, endpoint, &url, &body).await
    }
}

fn host(name: &str) -> String {
    format!("_acme-challenge.{name}.")
}
