//! Notification over a webhook.

use std::time::Instant;

use cap_telemetry::metrics::{JobResult, Outcome};
use serde_json::json;

use super::Tasks;
use crate::failure::Failure;

/// The label of the `channel_type`.
pub(crate) const CHANNEL: &str = "webhook";
/// The label of the call.
pub(crate) const ENDPOINT: &str = "notify";

impl Tasks {
    pub(super) async fn notify(&self, id: &str, what: &str) -> Result<JobResult, Failure> {
        let Some(webhook) = &self.webhook else {
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
        let started = Instant::now();
        let url = webhook.to_string();
        let delivered = self.outbound.post(CHANNEL, ENDPOINT, &url, &body).await;
        let outcome = Outcome::from(delivered.is_ok());
        let metrics = self.telemetry.metrics().notifications();
        metrics.record_delivered(CHANNEL, outcome, started.elapsed());
        delivered.map(|()| JobResult::Success)
    }
}
