//! Calls to external systems.

use std::sync::Arc;
use std::time::Duration;

use cap_names::ClosedEnum as _;

use crate::catalogue::labels::{HttpStatus, Outcome};
use crate::registry::Registry;

/// Records calls to ACME servers, MSCA, DNS providers and distribution modules.
#[derive(Clone, Copy, Debug)]
pub struct External<'a>(pub(crate) &'a Arc<Registry>);

impl External<'_> {
    /// Registers the operations of an external system, once at startup. Their counters are exposed
    /// as 0 from then on. Their durations are not, because their statuses are not known.
    pub fn register<'n>(&self, provider: &str, endpoints: impl IntoIterator<Item = &'n str>) {
        let words = &self.0.words;
        let provider = words.provider(provider);
        for name in endpoints {
            let endpoint = words.endpoint(name);
            for outcome in Outcome::ALL {
                let requests = &self.0.families.external.requests;
                requests.init((provider, endpoint, *outcome));
            }
        }
    }

    /// A call ended after `took` with this HTTP status, or [`HttpStatus::NONE`] without a response.
    pub fn record_called(
        &self,
        provider: &str,
        endpoint: &str,
        status: HttpStatus,
        outcome: Outcome,
        took: Duration,
    ) {
        let words = &self.0.words;
        let (provider, endpoint) = (words.provider(provider), words.endpoint(endpoint));
        let external = &self.0.families.external;
        external.requests.inc((provider, endpoint, outcome));
        external.duration.observe((provider, endpoint, status), took, self.0.exemplar_ids());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn registered_calls_are_zero_and_no_response_has_no_status() {
        let metrics = Metrics::new();
        let external = metrics.external();
        external.register("acme", ["new_order"]);
        let took = Duration::from_millis(3);
        external.record_called("acme", "new_order", HttpStatus::NONE, Outcome::Failed, took);
        metrics.assert_shows([
            r#"cap_external_request_total{provider="acme",endpoint="new_order",result="success"} 0"#,
            r#"cap_external_request_total{provider="acme",endpoint="new_order",result="failed"} 1"#,
            r#"cap_external_request_duration_seconds_count{provider="acme",endpoint="new_order",status="none"} 1"#,
        ]);
    }
}
