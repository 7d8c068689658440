//! What the pipes say of themselves, while they run and at the end.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

/// A snapshot of all pipes. A pipe that is off is `None`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The name of this process among its siblings.
    pub instance_name: String,
    /// The exposition of metrics.
    pub metrics: Option<MetricsStatus>,
    /// The trace pipe.
    pub tracing: Option<cap_tracing::Stats>,
    /// Share of traces that are sampled when no upstream has decided, 0 to 1.
    pub sample_rate: Option<f64>,
    /// The audit pipe.
    pub syslog: Option<cap_syslog::Status>,
    /// Connections that the egress policy refused, by class.
    pub egress_denied: BTreeMap<&'static str, u64>,
    /// What a person should be told about the audit pipe.
    pub warning: Option<String>,
}

/// How metrics are exposed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MetricsStatus {
    /// The address of their own listener; `None` where the host serves them.
    pub listen: Option<SocketAddr>,
}

/// What a shutdown left. A pipe that is off is `None`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The trace pipe.
    pub tracing: Option<cap_tracing::Stats>,
    /// The audit pipe.
    pub syslog: Option<cap_syslog::Report>,
}

impl Report {
    /// Whether everything that was handed over was delivered, if only from the primary store.
    pub fn is_complete(&self) -> bool {
        let traces = self
            .tracing
            .as_ref()
            .is_none_or(|spans| spans.exported == spans.started);
        let audit = self
            .syslog
            .as_ref()
            .is_none_or(|events| events.delivered + events.backfilled == events.enqueued);
        traces && audit
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.tracing {
            Some(spans) => write!(f, "traces: {spans}")?,
            None => f.write_str("traces: off")?,
        }
        match &self.syslog {
            Some(events) => write!(f, "; syslog: {events}"),
            None => f.write_str("; syslog: off"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_primary_store_made_up_for_is_delivered() {
        let mut events = cap_syslog::Report::default();
        (events.enqueued, events.delivered, events.dropped) = (10, 7, 3);
        let complete = |events| {
            let (tracing, syslog) = (None, Some(events));
            Report { tracing, syslog }.is_complete()
        };
        assert!(!complete(events));
        events.backfilled = 3;
        assert!(complete(events));
    }
}
