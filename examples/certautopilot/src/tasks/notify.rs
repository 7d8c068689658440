//! Notification over a webhook.

use std::time::Instant;

use axum::http::Request;
use axum::http::header::CONTENT_TYPE;
use bytes::Bytes;
use cap_telemetry::metrics::{JobResult, Outcome};
use http_body_util::Full;
use serde_json::json;

use super::Tasks;
use crate::failure::Failure;

/// The label of the `channel_type` that this is.
pub(crate) const CHANNEL: &str = "webhook";
/// What is asked of it, as the label of a call.
pub(crate) const ENDPOINT: &str = "notify";

impl Tasks {
    pub(super) async fn notify(&self, id: &str, what: &str) -> Result<JobResult, Failure> {
        let Some(webhook) = self.webhook.clone() else {
            return Ok(JobResult::Success);
        };
        let certificate = self.certificate(id).await?;
        let body = json!({
            "event": what,
            "certificate": id,
            "project": certificate.project,
            "domain": certificate.domain,
            "not_after": certificate.issued.map(|issued| issued.not_after),
        });
        let request = Request::post(webhook)
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(body.to_string())))
            .map_err(|error| Failure::invalid(format!("notify.webhook_url: {error}")))?;

        let started = Instant::now();
        let delivered = self.outbound.call(CHANNEL, ENDPOINT, request).await;
        let outcome = Outcome::from(delivered.is_ok());
        self.telemetry.metrics().notifications().record_delivered(
            CHANNEL,
            outcome,
            started.elapsed(),
        );
        delivered.map(|_| JobResult::Success)
    }
}
