//! Finds mistakes in an expression that Prometheus accepts without complaint.

use crate::expr::labels_of;
use crate::finding::{Finding, Lint};
use crate::metric_types;

/// Checks a PromQL expression against the metric catalogue.
///
/// The labels that a scrape adds are known: `cluster`, `namespace`, `job`, `instance`, `pod` and
/// others. A name with a colon counts as a recording rule. The check reports only what the
/// expression and the catalogue alone prove.
///
/// ```
/// let findings = cap_alerts::check(r#"cap_certificates_total{status="expird"} > 0"#);
/// assert_eq!(findings[0].message, r#"unknown value "expird" of label `status`"#);
/// assert_eq!(findings[0].suggestion, r#"write "expired""#);
/// ```
pub fn check(expr: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    match promql_parser::parser::parse(expr) {
        Ok(parsed) => {
            labels_of(&parsed, &mut findings);
            metric_types::check(&parsed, &mut findings);
        }
        Err(message) => findings.push(Finding::new(
            Lint::Syntax,
            "not a PromQL expression",
            message,
            "write a PromQL expression",
        )),
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Options, alerts};

    #[test]
    fn every_mistake_in_an_expression_is_found() {
        let expr = r#"rate(cap_nothing_like_it[5m]) + on (job) cap_certificates_total{status="gone", color="red"}"#;
        let lints: Vec<Lint> = check(expr).iter().map(|finding| finding.lint).collect();
        assert_eq!(lints, [Lint::UnknownMetric, Lint::UnknownValue, Lint::UnknownLabel]);
    }

    #[test]
    fn recommended_alerts_are_clean_in_every_grouping() {
        let mut options = Options::default();
        for grouping in [&["cluster", "namespace", "job"][..], &["region"], &["zone", "job"], &[]] {
            options.grouping = grouping.iter().map(|name| name.parse().unwrap()).collect();
            for alert in alerts(&options) {
                assert_eq!(check(&alert.expr), [], "{}", alert.expr);
            }
        }
    }
}
