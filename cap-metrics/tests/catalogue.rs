//! The catalogue against a list that was typed from the commissioned text.

use std::collections::BTreeSet;

use cap_metrics::{Group, Kind, METRICS, Metrics, metric_of_series};

/// name{labels} kind, as commissioned.
const COMMISSIONED: &[&str] = &[
    "cap_http_requests_total{method,path,status} counter",
    "cap_http_request_duration_seconds{method,path} histogram",
    "cap_http_in_flight_requests{} gauge",
    "cap_jobs_queued_total{type} counter",
    "cap_jobs_completed_total{type,result} counter",
    "cap_jobs_retry_total{type} counter",
    "cap_jobs_dead_letter_total{type} counter",
    "cap_jobs_duration_seconds{type} histogram",
    "cap_jobs_queue_depth{type} gauge",
    "cap_certificates_total{status,issuer_type} gauge",
    "cap_certificates_expiring_in_days{threshold} gauge",
    "cap_certificates_issued_total{issuer_type} counter",
    "cap_certificates_renewed_total{issuer_type,trigger} counter",
    "cap_distribution_executions_total{module,status} counter",
    "cap_distribution_target_result_total{module,error_class} counter",
    "cap_distribution_fanout_total{} counter",
    "cap_distribution_fanout_children_active{} gauge",
    "cap_distribution_validation_total{status} counter",
    "cap_kek_process_loaded_versions{host,version} gauge",
    "cap_kek_process_current_version{host} gauge",
    "cap_kek_cluster_laggards_total{target} gauge",
    "cap_kek_rotation_active{rotation_id} gauge",
    "cap_kek_rotation_progress_ratio{rotation_id} gauge",
    "cap_kek_wrap_total{provider,result} counter",
    "cap_kek_unwrap_total{provider,result} counter",
    "cap_notification_delivery_total{channel_type,status} counter",
    "cap_notification_delivery_duration_seconds{channel_type} histogram",
    "cap_discovery_sources_total{} gauge",
    "cap_discovery_endpoints_total{source_id} gauge",
    "cap_discovery_findings_open{severity} gauge",
    "cap_external_request_duration_seconds{provider,endpoint,status} histogram",
    "cap_external_request_total{provider,endpoint,result} counter",
    "cap_license_valid{} gauge",
    "cap_license_expires_in_seconds{} gauge",
    "cap_license_cert_usage{} gauge",
    "cap_license_cert_limit{} gauge",
];

#[test]
fn every_commissioned_metric_has_its_exact_name_kind_and_labels() {
    let declared: BTreeSet<String> = METRICS
        .iter()
        .filter(|metric| !matches!(metric.group, Group::Pipelines | Group::Process))
        .map(|metric| {
            let labels: Vec<_> = metric.labels.iter().map(|label| label.name).collect();
            format!("{}{{{}}} {}", metric.name, labels.join(","), metric.kind)
        })
        .collect();
    let commissioned: BTreeSet<String> = COMMISSIONED.iter().map(|s| (*s).to_owned()).collect();
    assert_eq!(declared, commissioned);
}

/// What the catalogue's own assertions, which run while it is compiled, do not check.
#[test]
fn declarations_follow_the_conventions() {
    for metric in METRICS {
        let name = metric.name;
        assert!(name.starts_with("cap_") || metric.group == Group::Process, "{name}");
        assert_eq!(metric.buckets.is_empty(), metric.kind != Kind::Histogram, "{name}");
        assert!(!metric.help.ends_with('.'), "{name}");
    }
}

#[test]
fn every_series_leads_back_to_its_metric_and_no_other_name_does() {
    for metric in METRICS {
        for series in metric.series_names() {
            let found = metric_of_series(&series).map(|metric| metric.name);
            assert_eq!(found, Some(metric.name), "{series}");
        }
    }
    for name in ["cap_jobs_duration_seconds", "cap_jobs_queued", "up"] {
        assert!(metric_of_series(name).is_none(), "{name}");
    }
}

#[test]
fn a_scrape_starts_with_help_and_repeats_in_the_same_order() {
    let metrics = Metrics::new();
    metrics.jobs().register(["renew", "issue"]);
    let names = |text: &str| -> Vec<String> {
        text.lines().map(|line| line.split(' ').next().unwrap_or_default().to_owned()).collect()
    };
    let (first, second) = (metrics.render(), metrics.render());
    assert!(first.starts_with("# HELP "), "{first}");
    assert_eq!(names(&second), names(&metrics.render()));
}
