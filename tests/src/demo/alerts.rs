//! What a scrape says of the alert rules: whether each metric that a rule reads has series.

use cap_alerts::Options;
use cap_metrics::METRICS;
use std::collections::{BTreeMap, BTreeSet};

use crate::Scrape;

/// The rules beside one scrape, and with Prometheus, what fires.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Alerts {
    /// Rules that the checker reads without a finding and whose metrics all have series.
    pub checked: BTreeSet<String>,
    /// The other rules, each with the metrics that have no series.
    pub without_series: BTreeMap<String, Vec<String>>,
    /// What the checker finds wrong, each with the rule's name.
    pub findings: Vec<String>,
    /// The alerts that Prometheus has pending or firing; `None` when nothing evaluated the rules.
    pub raised: Option<BTreeSet<String>>,
}

impl Alerts {
    pub(super) fn of(scrape: &Scrape) -> Self {
        let present: BTreeSet<_> = scrape.samples().map(|sample| &*sample.name).collect();
        let mut alerts = Self::default();
        for alert in cap_alerts::alerts(&Options::default()) {
            for finding in cap_alerts::check(&alert.expr) {
                alerts.findings.push(format!("{}: {finding}", alert.name));
            }
            let missing: BTreeSet<_> = metrics(&alert.expr)
                .filter(|name| !present.contains(name))
                .map(str::to_owned)
                .collect();
            if missing.is_empty() {
                alerts.checked.insert(alert.name);
            } else {
                let missing = missing.into_iter().collect();
                alerts.without_series.insert(alert.name, missing);
            }
        }
        alerts
    }
}

/// The names in an expression that are samples of the catalogue.
fn metrics(expr: &str) -> impl Iterator<Item = &str> {
    let words = expr.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    words.filter(|word| {
        METRICS.iter().any(|metric| {
            let rest = word.strip_prefix(metric.name);
            rest.is_some_and(|rest| matches!(rest, "" | "_bucket" | "_count" | "_sum"))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_found_in_every_part_of_an_expression() {
        let expr = r#"sum by (type) (rate(cap_jobs_completed_total{result="failed"}[5m])) / cap_jobs:rate5m
            and on (pod) histogram_quantile(0.9, cap_http_request_duration_seconds_bucket) > 1"#;
        assert_eq!(
            metrics(expr).collect::<Vec<_>>(),
            ["cap_jobs_completed_total", "cap_http_request_duration_seconds_bucket"]
        );
    }
}
