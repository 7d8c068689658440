//! The state of the pipelines while they run, and the account of a shutdown.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;

use serde::Serialize;

/// The state of all pipelines at one moment. `None`: the pipeline is off.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The name of this process among its replicas.
    pub instance_name: String,
    /// How metrics are exposed.
    pub metrics: Option<MetricsStatus>,
    /// The trace pipeline.
    pub tracing: Option<cap_tracing::Stats>,
    /// The fraction of traces, 0 to 1, that are sampled where no upstream has decided.
    pub sample_rate: Option<f64>,
    /// The audit pipeline.
    pub syslog: Option<cap_syslog::Status>,
    /// The number of connections that the egress policy denied, by class.
    pub egress_denied: BTreeMap<&'static str, u64>,
    /// What an administrator should know about the audit pipeline, in a sentence.
    pub warning: Option<String>,
}

/// How metrics are exposed.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct MetricsStatus {
    /// The address of the separate listener. `None`: the application serves `/metrics`.
    pub listen: Option<SocketAddr>,
}

/// The account of a shutdown. `None`: the pipeline was never on.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Report {
    /// The trace pipeline.
    pub tracing: Option<cap_tracing::Stats>,
    /// The audit pipeline.
    pub syslog: Option<cap_syslog::Report>,
}

impl Report {
    /// Whether every span and every event was delivered, events also by backfill from the primary
    /// store.
    pub fn is_complete(&self) -> bool {
        let traces = self.tracing.as_ref().is_none_or(|spans| spans.exported == spans.started);
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
    fn backfilled_events_count_as_delivered() {
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
