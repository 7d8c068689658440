//! What arrived, beside what was sent, and where the two differ.

use std::collections::BTreeSet;
use std::sync::Arc;

use cap_telemetry::trace::Stats;
use certautopilot::acme_server::Call;
use serde_json::{Value, json};

use super::alerts::Alerts;
use super::story::{self, is_the_providers};
use crate::{ReceivedSpan, Scrape};

/// What was scraped.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Metrics {
    /// Families in the last scrape.
    pub families: usize,
    /// Series in the last scrape, or in Prometheus.
    pub series: usize,
    /// Scrapes that failed.
    pub failures: usize,
    /// The alert rules beside the last scrape.
    pub alerts: Alerts,
    /// The last scrape.
    pub scrape: Arc<Scrape>,
}

/// Everything that arrived, and what the service says that it sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The service's last words: the accounting of its pipelines.
    pub report: Value,
    /// Event ids in the service's own audit log.
    pub primary: Vec<String>,
    /// What was scraped.
    pub metrics: Metrics,
    /// Spans received, the service's and the provider's.
    pub spans: Vec<ReceivedSpan>,
    /// Distinct event ids received.
    pub event_ids: BTreeSet<String>,
    /// Audit records as the relay read them, duplicates included.
    pub records: Vec<String>,
    /// Requests that the workload made.
    pub requests: u64,
    /// Calls that the ACME provider answered.
    pub calls: Vec<Call>,
    /// The provider's account of its own spans.
    pub provider: Stats,
}

/// One family of each exercised group of the catalogue. Each must have counted something.
const EXERCISED: [&str; 7] = [
    "cap_http_requests_total",
    "cap_jobs_completed_total",
    "cap_certificates_issued_total",
    "cap_certificates_renewed_total",
    "cap_external_request_total",
    "cap_kek_wrap_total",
    "cap_kek_process_current_version",
];

/// The alerts that the workload gives reason to fire, sorted.
const RAISED: [&str; 3] = [
    "CertRenewalFailingAndExpiring",
    "JobDeadLetterRising",
    "LicenseExpiringSoon",
];

impl Outcome {
    /// The figures as data.
    pub fn json(&self) -> Value {
        let errors = self
            .spans
            .iter()
            .filter(|span| span.error.is_some())
            .count();
        json!({
            "metrics": { "families": self.metrics.families, "series": self.metrics.series },
            "traces": {
                "spans": self.spans.len(),
                "errors": errors,
                "dropped": self.traced("dropped") + self.traced("failed") + self.traced("rejected"),
            },
            "syslog": {
                "enqueued": self.audited("enqueued"),
                "acked": self.audited("delivered"),
                "dropped": self.audited("dropped"),
                "received_distinct": self.event_ids.len(),
            },
            "alerts": {
                "checked": self.metrics.alerts.checked.len(),
                "without_series": self.metrics.alerts.without_series,
                "raised": self.metrics.alerts.raised,
            },
        })
    }

    /// What a pipeline did not deliver, or where an account does not close; empty when all is well.
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };

        for family in EXERCISED {
            check(
                self.total(family) > 0.0,
                format!("metrics: {family} counted nothing"),
            );
        }
        check(
            self.metrics.failures == 0,
            format!("metrics: {} scrapes failed", self.metrics.failures),
        );
        let dead = self.value("cap_jobs_dead_letter_total", &[("type", "renew")]);
        check(
            dead == Some(1.0),
            format!("metrics: one renewal was given up, and the counter says {dead:?}"),
        );
        let external = self.total("cap_external_request_total");
        let calls = self.calls.len();
        check(
            external == calls as f64,
            format!(
                "metrics: {external} external calls counted, and the provider answered {calls}"
            ),
        );
        let http: f64 = self
            .samples("cap_http_requests_total")
            .filter(|(path, _)| path != "/metrics")
            .map(|(_, n)| n)
            .sum();
        check(
            http == self.requests as f64,
            format!(
                "metrics: {http} requests counted, and {} were made",
                self.requests
            ),
        );

        let parts =
            ["exported", "rejected", "dropped", "failed", "pending"].map(|part| self.traced(part));
        let (started, sum) = (self.traced("started"), parts.iter().sum::<u64>());
        check(
            started == sum,
            format!("traces: {started} started, {sum} accounted for"),
        );
        let theirs = self.spans.iter().filter(|span| is_the_providers(span));
        let theirs = theirs.count() as u64;
        let received = self.spans.len() as u64 - theirs;
        check(received > 0, "traces: no span arrived".to_owned());
        check(
            parts[0] == received,
            format!("traces: {} exported, {received} received", parts[0]),
        );
        check(
            parts[0] == started,
            format!("traces: {started} started, {} exported", parts[0]),
        );
        let provider = &self.provider;
        check(
            (provider.started, provider.exported) == (theirs, theirs),
            format!("traces: of the provider {theirs} spans received: {provider}"),
        );
        check(
            theirs == calls as u64,
            format!("traces: the provider answered {calls} calls, and has {theirs} spans"),
        );
        check(
            self.renewal().is_some(),
            "traces: no trace holds a renewal with two 503 and its success".to_owned(),
        );

        if let Some(trace) = self.renewal() {
            faults.extend(story::faults(&self.spans, &self.calls, trace));
        }
        let mut check = |holds: bool, fault: String| {
            if !holds {
                faults.push(fault);
            }
        };

        let parts = ["delivered", "dropped", "queued"].map(|part| self.audited(part));
        let (enqueued, sum) = (self.audited("enqueued"), parts.iter().sum::<u64>());
        check(
            enqueued == sum,
            format!("syslog: {enqueued} enqueued, {sum} accounted for"),
        );
        check(
            parts[0] == enqueued,
            format!("syslog: {enqueued} enqueued, {} delivered", parts[0]),
        );
        let distinct = self.event_ids.len() as u64;
        check(distinct > 0, "syslog: no audit event arrived".to_owned());
        check(
            distinct == enqueued,
            format!("syslog: {enqueued} enqueued, {distinct} distinct received"),
        );
        let missing: Vec<_> = self
            .primary
            .iter()
            .filter(|id| !self.event_ids.contains(*id))
            .collect();
        check(
            missing.is_empty(),
            format!("syslog: the primary audit log has events that never arrived: {missing:?}"),
        );

        let alerts = &self.metrics.alerts;
        check(
            alerts.findings.is_empty(),
            format!("alerts: the checker finds {:?}", alerts.findings),
        );
        let missing: Vec<_> = (RAISED.iter())
            .filter(|name| !alerts.checked.contains(**name))
            .collect();
        check(
            missing.is_empty(),
            format!("alerts: {missing:?} have reason to fire, and a metric without series"),
        );
        if let Some(raised) = &alerts.raised {
            check(
                raised.iter().eq(RAISED),
                format!("alerts: {RAISED:?} have reason to fire, and Prometheus has {raised:?}"),
            );
        }
        faults
    }

    /// The trace of the renewal that met two 503 and then succeeded.
    pub fn renewal(&self) -> Option<&str> {
        let refused = |trace: &str| {
            let calls = self.spans.iter().filter(|span| span.trace_id == trace);
            calls
                .filter(|span| {
                    span.attribute("cap.external.provider") == Some("acme")
                        && span.attribute("http.response.status_code") == Some("503")
                })
                .count()
        };
        self.spans
            .iter()
            .filter(|span| {
                span.attribute("cap.job.type") == Some("renew")
                    && span.attribute("cap.job.attempt") == Some("3")
            })
            .filter(|span| span.error.is_none())
            .map(|span| span.trace_id.as_str())
            .find(|trace| refused(trace) == 2)
    }

    /// The sum of a family's series.
    pub fn total(&self, family: &str) -> f64 {
        self.metrics
            .scrape
            .samples()
            .filter(|sample| sample.name == family)
            .map(|sample| sample.value)
            .sum()
    }

    fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.metrics.scrape.value(name, labels)
    }

    /// Each series of an HTTP family: its path and value.
    fn samples(&self, family: &str) -> impl Iterator<Item = (String, f64)> {
        let samples = self
            .metrics
            .scrape
            .samples()
            .filter(move |sample| sample.name == family);
        samples.map(|sample| {
            (
                sample.labels.get("path").cloned().unwrap_or_default(),
                sample.value,
            )
        })
    }

    fn traced(&self, part: &str) -> u64 {
        self.report["tracing"][part].as_u64().unwrap_or(0)
    }

    fn audited(&self, part: &str) -> u64 {
        self.report["syslog"][part].as_u64().unwrap_or(0)
    }
}
