//! Calls to external systems.

use std::time::Duration;

use crate::Metrics;
use crate::labels::{Outcome, Status};

/// Records calls to ACME servers, MSCA, DNS providers and distribution modules.
#[derive(Clone, Copy, Debug)]
pub struct External<'a>(pub(crate) &'a Metrics);

impl External<'_> {
    /// A call ended after `took`, with this HTTP status ([`Status::NONE`] when no response came).
    pub fn called(
        &self,
        provider: &str,
        endpoint: &str,
        status: Status,
        outcome: Outcome,
        took: Duration,
    ) {
        let words = &self.0.inner.words;
        let (provider, endpoint) = (words.provider(provider), words.endpoint(endpoint));
        let external = &self.0.inner.families.external;
        external.requests.inc((provider, endpoint, outcome));
        external
            .duration
            .observe((provider, endpoint, status), took, self.0.current_trace());
    }
}
