//! The rows of the dashboard, as data.

use super::panel::{Panel, Row};

#[rustfmt::skip]
pub(super) fn rows() -> Vec<Row> {
    let (stat, series) = (Panel::stat, Panel::series);
    vec![
        Row { title: "Health", panels: vec![
            stat("Replicas up", "short", "sum(up)"),
            stat("License valid", "bool_yes_no", "min(cap_license_valid)"),
            stat("License expires in", "s", "min(cap_license_expires_in_seconds)"),
            stat("License in use", "percentunit", "max(cap_license_cert_usage) / (max(cap_license_cert_limit) > 0)"),
            stat("KEK laggards", "short", "max(cap_kek_cluster_laggards_total)"),
            stat("Failed renewals", "short", r#"sum(max by (issuer_type) (cap_certificates_total{status="renewal_failed"}))"#),
            stat("Expiring within 7 days", "short", r#"max(cap_certificates_expiring_in_days{threshold="7"})"#),
            stat("Expiring within 14 days", "short", r#"max(cap_certificates_expiring_in_days{threshold="14"})"#),
            stat("Expiring within 30 days", "short", r#"max(cap_certificates_expiring_in_days{threshold="30"})"#),
            stat("Expiring within 90 days", "short", r#"max(cap_certificates_expiring_in_days{threshold="90"})"#),
            stat("Dead letters", "short", "sum(increase(cap_jobs_dead_letter_total[$__range]))"),
            stat("Critical findings", "short", r#"max(cap_discovery_findings_open{severity="critical"})"#),
        ] },
        Row { title: "Certificates", panels: vec![
            series("By status", "short", &[("sum by (status) (max by (status, issuer_type) (cap_certificates_total))", "{{status}}")]),
            series("Issued", "short", &[("sum by (issuer_type) (increase(cap_certificates_issued_total[$R]))", "{{issuer_type}}")]),
            series("Renewed", "short", &[("sum by (issuer_type, trigger) (increase(cap_certificates_renewed_total[$R]))", "{{issuer_type}} {{trigger}}")]),
        ] },
        Row { title: "Jobs", panels: vec![
            series("Waiting", "short", &[("max by (type) (cap_jobs_queue_depth)", "{{type}}")]),
            series("Queued", "ops", &[("sum by (type) (rate(cap_jobs_queued_total[$R]))", "{{type}}")]),
            series("Attempts by result", "ops", &[("sum by (type, result) (rate(cap_jobs_completed_total[$R]))", "{{type}} {{result}}")]),
            series("Retried and dead-lettered", "ops", &[
                ("sum by (type) (rate(cap_jobs_retry_total[$R]))", "{{type}} retried"),
                ("sum by (type) (rate(cap_jobs_dead_letter_total[$R]))", "{{type}} dead-lettered"),
            ]),
            series("Duration, p95", "s", &[("histogram_quantile(0.95, sum by (type, le) (rate(cap_jobs_duration_seconds_bucket[$R])))", "{{type}}")]),
        ] },
        Row { title: "Distribution", panels: vec![
            series("Runs by result", "ops", &[("sum by (module, status) (rate(cap_distribution_executions_total[$R]))", "{{module}} {{status}}")]),
            series("Results of targets", "ops", &[("sum by (module, error_class) (rate(cap_distribution_target_result_total[$R]))", "{{module}} {{error_class}}")]),
            series("Checks", "ops", &[("sum by (status) (rate(cap_distribution_validation_total[$R]))", "{{status}}")]),
            series("Fan-outs", "short", &[
                ("sum(increase(cap_distribution_fanout_total[$R]))", "started"),
                ("sum(cap_distribution_fanout_children_active)", "active children"),
            ]),
        ] },
        Row { title: "External providers", panels: vec![
            series("Calls by result", "reqps", &[("sum by (provider, result) (rate(cap_external_request_total[$R]))", "{{provider}} {{result}}")]),
            series("Responses by status", "reqps", &[("sum by (provider, status) (rate(cap_external_request_duration_seconds_count[$R]))", "{{provider}} {{status}}")]),
            series("Duration, p95", "s", &[("histogram_quantile(0.95, sum by (provider, endpoint, le) (rate(cap_external_request_duration_seconds_bucket[$R])))", "{{provider}} {{endpoint}}")]),
        ] },
        Row { title: "Key-encryption keys", panels: vec![
            series("Current version", "short", &[("max by (host) (cap_kek_process_current_version)", "{{host}}")]),
            series("Loaded versions", "short", &[("max by (host, version) (cap_kek_process_loaded_versions)", "{{host}} {{version}}")]),
            series("Laggards", "short", &[("max by (target) (cap_kek_cluster_laggards_total)", "target {{target}}")]),
            series("Rotation", "percentunit", &[
                ("max by (rotation_id) (cap_kek_rotation_progress_ratio)", "{{rotation_id}}"),
                ("max by (rotation_id) (cap_kek_rotation_active)", "{{rotation_id}} active"),
            ]),
            series("Wrapped and unwrapped", "ops", &[
                ("sum by (provider, result) (rate(cap_kek_wrap_total[$R]))", "wrap {{provider}} {{result}}"),
                ("sum by (provider, result) (rate(cap_kek_unwrap_total[$R]))", "unwrap {{provider}} {{result}}"),
            ]),
        ] },
        Row { title: "HTTP", panels: vec![
            series("Requests by status", "reqps", &[("sum by (status) (rate(cap_http_requests_total[$R]))", "{{status}}")]),
            series("Share of 5xx by route", "percentunit", &[(
                r#"sum by (path) (rate(cap_http_requests_total{status=~"5.."}[$R])) / (sum by (path) (rate(cap_http_requests_total[$R])) > 0)"#, "{{path}}",
            )]),
            series("Duration by route, p99", "s", &[("histogram_quantile(0.99, sum by (path, le) (rate(cap_http_request_duration_seconds_bucket[$R])))", "{{path}}")]),
            series("In flight", "short", &[("sum by (instance) (cap_http_in_flight_requests)", "{{instance}}")]),
            series("Error budget left, 3 days", "percentunit", &[
                ("1 - max(certautopilot:http_availability_errors:ratio_rate3d) / (1 - 0.999)", "availability"),
                ("1 - max(certautopilot:http_latency_errors:ratio_rate3d) / (1 - 0.99)", "latency"),
            ]),
        ] },
        Row { title: "Notifications and discovery", panels: vec![
            series("Notifications", "ops", &[("sum by (channel_type, status) (rate(cap_notification_delivery_total[$R]))", "{{channel_type}} {{status}}")]),
            series("Delivery duration, p95", "s", &[("histogram_quantile(0.95, sum by (channel_type, le) (rate(cap_notification_delivery_duration_seconds_bucket[$R])))", "{{channel_type}}")]),
            series("Discovered endpoints", "short", &[
                ("max by (source_id) (cap_discovery_endpoints_total)", "{{source_id}}"),
                ("max(cap_discovery_sources_total)", "sources configured"),
            ]),
            series("Open findings", "short", &[("max by (severity) (cap_discovery_findings_open)", "{{severity}}")]),
        ] },
        Row { title: "Telemetry pipelines", panels: vec![
            series("Audit events", "ops", &[
                ("sum(rate(cap_telemetry_audit_events_enqueued_total[$R]))", "enqueued"),
                ("sum(rate(cap_telemetry_audit_events_delivered_total[$R]))", "delivered"),
                ("sum(rate(cap_telemetry_audit_events_dropped_total[$R]))", "dropped"),
            ]),
            series("Audit buffer", "short", &[
                ("sum by (instance) (cap_telemetry_audit_events_queued)", "{{instance}}"),
                ("min by (instance) (cap_telemetry_syslog_connected)", "{{instance}} connected"),
            ]),
            series("Spans", "ops", &[
                ("sum(rate(cap_telemetry_spans_started_total[$R]))", "started"),
                ("sum(rate(cap_telemetry_spans_exported_total[$R]))", "exported"),
                ("sum(rate(cap_telemetry_spans_dropped_total[$R])) + sum(rate(cap_telemetry_spans_failed_total[$R]))", "lost"),
            ]),
            series("Scrapes and folded series", "s", &[
                ("max by (instance) (cap_telemetry_scrape_duration_seconds)", "{{instance}} rendering"),
                ("sum by (family) (rate(cap_telemetry_series_folded_total[$R]))", "{{family}} folded"),
            ]),
        ] },
    ]
}
