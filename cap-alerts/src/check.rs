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

    fn findings(expr: &str) -> Vec<String> {
        check(expr).iter().map(Finding::to_string).collect()
    }

    #[test]
    fn each_mistake_has_its_reason_and_its_suggestion() {
        let table = [
            (
                "sum by (job (up)",
                "not a PromQL expression: unclosed left parenthesis; write a PromQL expression",
            ),
            (
                "rate(up)",
                "not a PromQL expression: expected type matrix in call to function 'rate', got vector; write a PromQL expression",
            ),
            (
                r#"up{job="a" or job="b"}"#,
                r#"`or` between the matchers of `up{job="a" or job="b"}`: Prometheus does not support it; write one selector for each alternative and join them with `or`"#,
            ),
            (
                "rate(cap_jobs_dead_leter_total[5m])",
                "unknown metric `cap_jobs_dead_leter_total`: the catalogue does not declare it, so the selector is always \
                 empty; write `cap_jobs_dead_letter_total`",
            ),
            (
                "max_over_time((1 - avg(node_load1))[1h:])",
                "unknown metric `node_load1`: the catalogue does not declare it, so the selector is always empty; name a \
                 metric of the catalogue",
            ),
            (
                "rate(cap_jobs_retry_total_sum[5m])",
                "unknown metric `cap_jobs_retry_total_sum`: the catalogue does not declare it, so the selector is always \
                 empty; write `cap_jobs_retry_total`",
            ),
            (
                "cap_http_request_duration_seconds",
                "`cap_http_request_duration_seconds` is a histogram: no series has that bare name; write \
                 `cap_http_request_duration_seconds_bucket`, `cap_http_request_duration_seconds_sum` or \
                 `cap_http_request_duration_seconds_count`",
            ),
            (
                r#"{__name__=~"cert_.+"}"#,
                r#"no metric's name matches `{__name__=~"cert_.+"}`: the selector is always empty; match names of the catalogue, which start with `cap_`"#,
            ),
            (
                r#"{__name__="cap_license_vald"} == 0"#,
                "unknown metric `cap_license_vald`: the catalogue does not declare it, so the selector is always empty; \
                 write `cap_license_valid`",
            ),
            (
                r#"increase(cap_certificates_issued_total{isuer_type="acme"}[5m])"#,
                r#"unknown label `isuer_type` in `isuer_type="acme"`: `cap_certificates_issued_total` does not carry it; match on `issuer_type`"#,
            ),
            (
                r#"cap_license_valid{region="eu"}"#,
                r#"unknown label `region` in `region="eu"`: `cap_license_valid` does not carry it; match on one of cluster, container, endpoint, instance, job, namespace, node, pod, service"#,
            ),
            (
                r#"cap_http_request_duration_seconds_sum{le="1.0"}"#,
                r#"unknown label `le` in `le="1.0"`: `cap_http_request_duration_seconds_sum` does not carry it; match on one of cluster, container, endpoint, instance, job, method, namespace, node, path, pod, service"#,
            ),
            (
                r#"cap_certificates_total{status!="renewl_failed"}"#,
                r#"unknown value "renewl_failed" of label `status`: `cap_certificates_total` only has active, expired, revoked, renewal_failed; write "renewal_failed""#,
            ),
            (
                r#"cap_certificates_total{status=~"expired|broken"}"#,
                r#"unknown value "broken" of label `status`: `cap_certificates_total` only has active, expired, revoked, renewal_failed; write one of these"#,
            ),
            (
                r#"cap_http_requests_total{status=~"6.."}"#,
                r#"unknown value "6.." of label `status`: `cap_http_requests_total` only has 100 to 599, none, other; write one of these"#,
            ),
            (
                r#"cap_certificates_total{status="expired"} / cap_certificates_total{status="active"}"#,
                r#"the sides of `/` can never match: `status` is "expired" on the left and "active" on the right, so the result is always empty; write `/ ignoring (status)`"#,
            ),
            (
                r#"cap_license_valid{job="a"} and cap_license_cert_usage{job="b"}"#,
                r#"the sides of `and` can never match: `job` is "a" on the left and "b" on the right, so the result is always empty; write `and ignoring (job)`"#,
            ),
            (
                r#"up{pod!=""} and on (job, pod) sum by (job) (up)"#,
                "the sides of `and` can never match: only the left side carries `pod`, so the result is always empty; \
                 aggregate both sides by labels that they share and write `and on (job)`",
            ),
            (
                "sum by (job) (up) > on (job, instance) up",
                "the sides of `>` can never match: only the right side carries `instance`, so the result is always empty; \
                 aggregate both sides by labels that they share and write `> on (job)`",
            ),
            (
                "cap_license_valid == 0 unless on (type) cap_jobs_queue_depth",
                "the sides of `unless` can never match: only the right side carries `type`, so it removes nothing; aggregate \
                 both sides by labels that they share and write `unless on (cluster, job, namespace)`",
            ),
            (
                "sum by (type) (cap_jobs_queue_depth) or vector(0)",
                "the sides of `or` can never match: only the left side carries `type`, so the right side is always added, \
                 never a fallback; aggregate the left side to no labels, or write `or on ()` to add the right side only when \
                 the left is empty",
            ),
        ];
        for (expr, finding) in table {
            assert_eq!(findings(expr), [finding], "{expr}");
        }
    }

    #[test]
    fn the_first_alert_as_written_is_found_with_the_reason() {
        let as_written = r#"cap_certificates_total{status="renewal_failed"} > 0
and cap_certificates_expiring_in_days{threshold="7"} > 0"#;
        assert_eq!(
            findings(as_written),
            [
                "the sides of `and` can never match: only the left side carries `issuer_type`, `status`; only the right side \
              carries `threshold`, so the result is always empty; aggregate both sides by labels that they share and write \
              `and on (cluster, job, namespace)`"
            ]
        );
    }

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
                assert_eq!(findings(&alert.expr), [""; 0], "{}", alert.expr);
            }
        }
    }

    #[test]
    fn sound_expressions_have_no_finding() {
        for expr in [
            "1 + 2",
            "vector(1)",
            "up == 0",
            r#"absent(up{job="certautopilot"}) or up == 0"#,
            r#"absent(up{job="certautopilot"}) and on (job) absent(cap_license_valid{job="certautopilot"})"#,
            "sum(cap_jobs_queue_depth) or vector(0)",
            "sum by (type) (cap_jobs_queue_depth) or on () vector(0)",
            "cap_license_cert_usage / (cap_license_cert_limit > 0) >= 0.9",
            r#"cap_certificates_total{status="expired"} / ignoring (status) cap_certificates_total{status="active"}"#,
            r#"sum without (status) (cap_certificates_total{status="expired"}) / sum without (status) (cap_certificates_total)"#,
            r#"sum(rate(cap_http_requests_total{status=~"5.."}[5m])) / sum(rate(cap_http_requests_total[5m]))"#,
            r#"cap_http_requests_total{status!~"none|other", method!="", path=~"/projects/.*"}"#,
            "histogram_quantile(0.95, sum by (le, provider) (rate(cap_external_request_duration_seconds_bucket[5m]))) > 10",
            "rate(cap_jobs_duration_seconds_sum[5m]) / rate(cap_jobs_duration_seconds_count[5m])",
            "cap_jobs_queue_depth > 100 and ignoring (result) sum without (result) (rate(cap_jobs_completed_total[15m])) == 0",
            "cap_jobs_queue_depth * on (job, instance) group_left () up",
            "up * on (job, instance) group_right () cap_jobs_queue_depth",
            r#"count_values by (job, host) ("version", cap_kek_process_current_version) unless on (job, host, version) cap_kek_process_loaded_versions == 1"#,
            r#"label_replace(cap_license_valid, "type", "$1", "job", "(.*)") and on (type) cap_jobs_queue_depth"#,
            "topk(3, cap_jobs_queue_depth) and cap_jobs_queue_depth",
            "job:cap_jobs_queue_depth:sum and on (type) cap_jobs_queue_depth",
            r#"{__name__=~"cap_license_.+", anything="goes"} and up"#,
            "cap_license_valid and cap_license_cert_usage > bool 5",
            "-cap_license_valid + cap_license_valid offset 1h",
            "max_over_time(sum by (job) (up)[1h:5m]) > on (job) count by (job) (cap_license_valid)",
            "cap_license_valid == scalar(sum(up))",
            // What is missing on one side is filled in.
            "cap_jobs_queue_depth + fill (0) sum without (type) (cap_jobs_queue_depth)",
        ] {
            assert_eq!(findings(expr), [""; 0], "{expr}");
        }
    }
}
