//! Everything that arrived beside everything that was sent, and where the two differ.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::sync::Arc;

use cap_telemetry::trace::Stats;
use certautopilot::acme_server::Call;
use serde_json::{Value, json};

use super::alerts::Alerts;
use super::story::{self, is_the_providers};
use crate::{ReceivedSpan, Scrape};

/// The scraped metrics.
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
    /// The scraped metrics.
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
const RAISED: [&str; 3] =
    ["CertRenewalFailingAndExpiring", "JobDeadLetterRising", "LicenseExpiringSoon"];

impl Outcome {
    /// The figures as data.
    pub fn json(&self) -> Value {
        let errors = self.spans.iter().filter(|span| span.error.is_some()).count();
        let lost = ["dropped", "failed", "rejected"].map(|part| self.reported("tracing", part));
        let lost: u64 = lost.iter().sum();
        json!({
            "metrics": { "families": self.metrics.families, "series": self.metrics.series },
            "traces": {
                "spans": self.spans.len(),
                "errors": errors,
                "dropped": lost,
            },
            "syslog": {
                "enqueued": self.reported("syslog", "enqueued"),
                "delivered": self.reported("syslog", "delivered"),
                "dropped": self.reported("syslog", "dropped"),
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
        let mut faults = Faults::default();
        self.check_metrics(&mut faults);
        self.check_traces(&mut faults);
        self.check_syslog(&mut faults);
        self.check_alerts(&mut faults);
        faults.0
    }

    fn check_metrics(&self, faults: &mut Faults) {
        for family in EXERCISED {
            let counted = self.total(family) > 0.0;
            faults.unless(counted, || format!("metrics: {family} counted nothing"));
        }
        faults.differ("metrics: failed scrapes", self.metrics.failures, 0);
        let dead = [("type", "renew")];
        let dead = (self.metrics.scrape).value("cap_jobs_dead_letter_total", &dead);
        faults.differ("metrics: renewals given up", dead, Some(1.0));
        let external = self.total("cap_external_request_total");
        let calls = self.calls.len() as f64;
        faults.differ("metrics: external calls counted, and answered", external, calls);
        let samples = self.metrics.scrape.samples();
        let served = samples.filter(|sample| {
            let path = sample.labels.get("path").map(String::as_str);
            sample.name == "cap_http_requests_total" && path != Some("/metrics")
        });
        let served: f64 = served.map(|sample| sample.value).sum();
        let sent = self.requests as f64;
        faults.differ("metrics: requests counted, and made", served, sent);
    }

    fn check_traces(&self, faults: &mut Faults) {
        let part = |part: &str| self.reported("tracing", part);
        let parts = ["exported", "rejected", "dropped", "failed", "pending"].map(part);
        let (started, exported) = (part("started"), parts[0]);
        let sum: u64 = parts.iter().sum();
        faults.differ("traces: spans started, and accounted for", started, sum);
        faults.differ("traces: spans started, and exported", started, exported);
        let theirs = self.spans.iter().filter(|span| is_the_providers(span));
        let theirs = theirs.count() as u64;
        let received = self.spans.len() as u64 - theirs;
        faults.unless(received > 0, || "traces: no span arrived".to_owned());
        faults.differ("traces: spans exported, and received", exported, received);
        let provider = (self.provider.started, self.provider.exported);
        let what = "traces: the provider's spans started and exported, and received";
        faults.differ(what, provider, (theirs, theirs));
        let calls = self.calls.len() as u64;
        faults.differ("traces: the provider's calls, and its spans", calls, theirs);
        match self.renewal() {
            Some(trace) => faults.0.extend(story::faults(&self.spans, &self.calls, trace)),
            None => faults.unless(false, || {
                "traces: no trace holds a renewal with two 503 and its success".to_owned()
            }),
        }
    }

    fn check_syslog(&self, faults: &mut Faults) {
        let part = |part: &str| self.reported("syslog", part);
        let (enqueued, delivered) = (part("enqueued"), part("delivered"));
        let sum = delivered + part("dropped") + part("queued");
        faults.differ("syslog: events enqueued, and accounted for", enqueued, sum);
        faults.differ("syslog: events enqueued, and delivered", enqueued, delivered);
        let distinct = self.event_ids.len() as u64;
        faults.unless(distinct > 0, || "syslog: no audit event arrived".to_owned());
        faults.differ("syslog: events enqueued, and received", enqueued, distinct);
        let arrived = |id: &&String| self.event_ids.contains(*id);
        let missing: Vec<_> = self.primary.iter().filter(|id| !arrived(id)).collect();
        faults.unless(missing.is_empty(), || {
            format!("syslog: events of the primary log never arrived: {missing:?}")
        });
    }

    fn check_alerts(&self, faults: &mut Faults) {
        let alerts = &self.metrics.alerts;
        faults.unless(alerts.findings.is_empty(), || {
            format!("alerts: the checker finds {:?}", alerts.findings)
        });
        for name in RAISED {
            faults.unless(alerts.checked.contains(name), || {
                format!("alerts: {name} has reason to fire, and a metric without series")
            });
        }
        if let Some(raised) = &alerts.raised {
            faults.unless(raised.iter().eq(RAISED), || {
                format!("alerts: {RAISED:?} have reason to fire, and Prometheus has {raised:?}")
            });
        }
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

    fn reported(&self, pipeline: &str, part: &str) -> u64 {
        self.report[pipeline][part].as_u64().unwrap_or(0)
    }
}

/// The faults found so far.
#[derive(Default)]
struct Faults(Vec<String>);

impl Faults {
    fn unless(&mut self, holds: bool, fault: impl FnOnce() -> String) {
        if !holds {
            self.0.push(fault());
        }
    }

    /// Adds a fault if two figures that must be equal differ.
    fn differ<T: PartialEq + Debug>(&mut self, what: &str, left: T, right: T) {
        self.unless(left == right, || format!("{what}: {left:?} and {right:?}"));
    }
}
