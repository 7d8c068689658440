//! A fleet in which all is well, for longer than any alert looks back but those on budgets.

use super::shape::Shape::{self, At, Grows};
use super::{Case, target};

/// Two replicas at work for 26 hours, and nothing fires.
pub(super) fn healthy() -> Case {
    const MINUTES: u32 = 26 * 60;
    let mut case = Case::every_minute("a healthy fleet is silent for 26 hours");
    let series: &[(&str, &str, Shape)] = &[
        ("up", "", At(1.0)),
        (
            "cap_http_requests_total",
            r#"method="GET",path="/",status="200""#,
            Grows(600),
        ),
        (
            "cap_http_request_duration_seconds_count",
            r#"method="GET",path="/""#,
            Grows(600),
        ),
        (
            "cap_http_request_duration_seconds_bucket",
            r#"method="GET",path="/",le="1""#,
            Grows(599),
        ),
        ("cap_jobs_queued_total", r#"type="renew""#, Grows(10)),
        (
            "cap_jobs_completed_total",
            r#"type="renew",result="success""#,
            Grows(10),
        ),
        (
            "cap_jobs_completed_total",
            r#"type="renew",result="failed""#,
            Grows(0),
        ),
        ("cap_jobs_retry_total", r#"type="renew""#, Grows(0)),
        ("cap_jobs_dead_letter_total", r#"type="renew""#, Grows(0)),
        ("cap_jobs_queue_depth", r#"type="renew""#, At(3.0)),
        (
            "cap_certificates_total",
            r#"status="active",issuer_type="acme""#,
            At(500.0),
        ),
        (
            "cap_certificates_total",
            r#"status="expired",issuer_type="acme""#,
            At(7.0),
        ),
        (
            "cap_certificates_total",
            r#"status="renewal_failed",issuer_type="acme""#,
            At(0.0),
        ),
        (
            "cap_certificates_expiring_in_days",
            r#"threshold="7""#,
            At(0.0),
        ),
        (
            "cap_certificates_expiring_in_days",
            r#"threshold="14""#,
            At(2.0),
        ),
        (
            "cap_certificates_renewed_total",
            r#"issuer_type="acme",trigger="scheduled""#,
            Grows(1),
        ),
        (
            "cap_distribution_executions_total",
            r#"module="nginx",status="success""#,
            Grows(5),
        ),
        (
            "cap_distribution_executions_total",
            r#"module="nginx",status="failed""#,
            Grows(0),
        ),
        (
            "cap_distribution_target_result_total",
            r#"module="nginx",error_class="none""#,
            Grows(5),
        ),
        ("cap_distribution_fanout_children_active", "", At(1.0)),
        (
            "cap_distribution_validation_total",
            r#"status="failed""#,
            Grows(0),
        ),
        (
            "cap_kek_process_current_version",
            r#"host="cap-1""#,
            At(8.0),
        ),
        (
            "cap_kek_process_loaded_versions",
            r#"host="cap-1",version="8""#,
            At(1.0),
        ),
        ("cap_kek_cluster_laggards_total", r#"target="8""#, At(0.0)),
        (
            "cap_kek_unwrap_total",
            r#"provider="local",result="failed""#,
            Grows(0),
        ),
        (
            "cap_notification_delivery_total",
            r#"channel_type="email",status="success""#,
            Grows(2),
        ),
        (
            "cap_notification_delivery_total",
            r#"channel_type="email",status="failed""#,
            Grows(0),
        ),
        ("cap_discovery_sources_total", "", At(1.0)),
        (
            "cap_discovery_endpoints_total",
            r#"source_id="a""#,
            At(10.0),
        ),
        (
            "cap_discovery_findings_open",
            r#"severity="critical""#,
            At(0.0),
        ),
        (
            "cap_external_request_total",
            r#"provider="acme",endpoint="finalize",result="success""#,
            Grows(10),
        ),
        (
            "cap_external_request_total",
            r#"provider="acme",endpoint="finalize",result="failed""#,
            Grows(0),
        ),
        (
            "cap_external_request_duration_seconds_bucket",
            r#"provider="acme",endpoint="finalize",status="200",le="0.5""#,
            Grows(10),
        ),
        (
            "cap_external_request_duration_seconds_bucket",
            r#"provider="acme",endpoint="finalize",status="200",le="+Inf""#,
            Grows(10),
        ),
        ("cap_license_valid", "", At(1.0)),
        ("cap_license_expires_in_seconds", "", At(9_000_000.0)),
        ("cap_license_cert_usage", "", At(500.0)),
        ("cap_license_cert_limit", "", At(0.0)),
        ("cap_telemetry_audit_events_dropped_total", "", Grows(0)),
        ("cap_telemetry_syslog_connected", "", At(1.0)),
        ("cap_telemetry_spans_dropped_total", "", Grows(0)),
        ("cap_telemetry_spans_failed_total", "", Grows(0)),
        ("cap_telemetry_spans_rejected_total", "", Grows(0)),
    ];
    for (metric, labels, shape) in series {
        for replica in ["a", "b"] {
            case = case.series(
                metric,
                &target("fleet", "healthy", replica),
                labels,
                &[shape.samples(0, MINUTES)],
            );
        }
    }
    case.quiet(
        MINUTES - 1,
        r#"count_over_time(ALERTS{alertstate="firing"}[26h])"#,
    )
}
