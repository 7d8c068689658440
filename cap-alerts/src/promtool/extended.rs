//! The situations of the extended profile: for every alert one fault, in several installations at once.
//!
//! `faulty` has two replicas that are healthy for an hour and then are not. `restart` has the same fault, while a pod is replaced
//! and scrapes are lost. `cold` starts half an hour late and is healthy, and `healthy` always is.

use super::{Case, ExprCheck, Sample};

/// Minutes of health before the fault.
const BEFORE: u32 = 60;

/// The samples of a series, one each minute.
#[derive(Clone, Copy)]
enum Shape {
    /// A gauge at a value.
    At(f64),
    /// A counter that grows by so much every minute.
    Grows(u32),
    /// No series.
    Absent,
}
use Shape::{Absent, At, Grows};

struct Fault {
    /// What fires, at which minute, with which severity and labels beside those of the installation.
    fires: &'static [(&'static str, u32, &'static str, &'static str)],
    /// Name and labels of a series, how it is while all is well, and how it is afterwards.
    series: &'static [(&'static str, &'static str, Shape, Shape)],
    /// Whether the fault can be seen through replaced pods.
    restart: Restart,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Restart {
    Survived,
    /// The alert is about targets that are gone, or a value that lives and dies with its pod.
    Meaningless,
}
use Restart::{Meaningless, Survived};

const W: &str = "warning";
const C: &str = "critical";

#[rustfmt::skip]
const FAULTS: &[Fault] = &[
    Fault { fires: &[("CertAutoPilotDown", 65, C, "")], restart: Meaningless,
        series: &[("up", "", At(1.0), At(0.0))] },
    Fault { fires: &[("CertMetricsAbsent", 85, C, "")], restart: Meaningless,
        series: &[("up", "", At(1.0), At(1.0)), ("cap_certificates_total", r#"status="active",issuer_type="acme""#, At(9.0), Absent)] },
    Fault { fires: &[("CertRenewalFailingAndExpiring", 120, C, "")], restart: Survived,
        series: &[("cap_certificates_total", r#"status="renewal_failed",issuer_type="acme""#, At(0.0), At(2.0)),
                  ("cap_certificates_expiring_in_days", r#"threshold="7""#, At(1.0), At(1.0))] },
    Fault { fires: &[("CertExpiredIncreased", 65, C, "")], restart: Survived,
        series: &[("cap_certificates_total", r#"status="expired",issuer_type="acme""#, At(3.0), At(5.0))] },
    Fault { fires: &[("CertExpiringNothingRenewed", 780, W, "")], restart: Meaningless,
        series: &[("cap_certificates_expiring_in_days", r#"threshold="14""#, At(1.0), At(1.0)),
                  ("cap_certificates_renewed_total", r#"issuer_type="acme",trigger="scheduled""#, Grows(1), Grows(0))] },
    Fault { fires: &[("CertRenewalFailedRatioHigh", 120, W, "")], restart: Survived,
        series: &[("cap_certificates_total", r#"status="active",issuer_type="acme""#, At(90.0), At(90.0)),
                  ("cap_certificates_total", r#"status="renewal_failed",issuer_type="acme""#, At(2.0), At(8.0))] },
    Fault { fires: &[("LicenseInvalid", 75, C, "")], restart: Survived,
        series: &[("cap_license_valid", "", At(1.0), At(0.0))] },
    Fault { fires: &[("LicenseExpiringSoon", 60, W, "")], restart: Survived,
        series: &[("cap_license_expires_in_seconds", "", At(700_000.0), At(600_000.0))] },
    Fault { fires: &[("LicenseUsageHigh", 120, W, "")], restart: Survived,
        series: &[("cap_license_cert_usage", "", At(50.0), At(95.0)), ("cap_license_cert_limit", "", At(100.0), At(100.0))] },
    Fault { fires: &[("LicenseLimitReached", 75, C, ""), ("LicenseUsageHigh", 120, W, "")], restart: Survived,
        series: &[("cap_license_cert_usage", "", At(50.0), At(100.0)), ("cap_license_cert_limit", "", At(100.0), At(100.0))] },
    Fault { fires: &[("JobDeadLetterRising", 76, W, r#"type="renew""#)], restart: Survived,
        series: &[("cap_jobs_dead_letter_total", r#"type="renew""#, Grows(0), Grows(1))] },
    Fault { fires: &[("JobQueueStalled", 90, C, r#"type="renew""#)], restart: Meaningless,
        series: &[("cap_jobs_queue_depth", r#"type="renew""#, At(0.0), At(5.0)),
                  ("cap_jobs_completed_total", r#"type="renew",result="success""#, Grows(4), Grows(0))] },
    Fault { fires: &[("JobQueueBacklog", 90, W, r#"type="renew""#)], restart: Survived,
        series: &[("cap_jobs_queue_depth", r#"type="renew""#, At(20.0), At(200.0)),
                  ("cap_jobs_completed_total", r#"type="renew",result="success""#, Grows(4), Grows(4))] },
    Fault { fires: &[("JobFailureRatioHigh", 79, W, r#"type="renew""#)], restart: Survived,
        series: &[("cap_jobs_completed_total", r#"type="renew",result="success""#, Grows(10), Grows(0)),
                  ("cap_jobs_completed_total", r#"type="renew",result="failed""#, Grows(0), Grows(10))] },
    Fault { fires: &[("JobRetryStorm", 91, W, r#"type="renew""#)], restart: Survived,
        series: &[("cap_jobs_completed_total", r#"type="renew",result="success""#, Grows(10), Grows(10)),
                  ("cap_jobs_retry_total", r#"type="renew""#, Grows(0), Grows(10))] },
    Fault { fires: &[("DistributionFailureRatioHigh", 79, W, r#"module="nginx""#)], restart: Survived,
        series: &[("cap_distribution_executions_total", r#"module="nginx",status="success""#, Grows(10), Grows(0)),
                  ("cap_distribution_executions_total", r#"module="nginx",status="partial""#, Grows(0), Grows(10))] },
    Fault { fires: &[("DistributionValidationFailing", 76, W, "")], restart: Survived,
        series: &[("cap_distribution_validation_total", r#"status="failed""#, Grows(0), Grows(1))] },
    Fault { fires: &[("DistributionFanoutStuck", 120, W, "")], restart: Meaningless,
        series: &[("cap_distribution_fanout_children_active", "", At(3.0), At(3.0)),
                  ("cap_distribution_target_result_total", r#"module="nginx",error_class="none""#, Grows(5), Grows(0))] },
    Fault { fires: &[("KEKClusterNotReady", 65, W, r#"target="8""#)], restart: Survived,
        series: &[("cap_kek_cluster_laggards_total", r#"target="8""#, At(0.0), At(1.0))] },
    Fault { fires: &[("KEKUnwrapFailing", 66, C, r#"provider="local""#)], restart: Survived,
        series: &[("cap_kek_unwrap_total", r#"provider="local",result="failed""#, Grows(0), Grows(1))] },
    Fault { fires: &[("KEKCurrentVersionNotLoaded", 65, C, r#"host="cap-1",version="8""#)], restart: Survived,
        series: &[("cap_kek_process_current_version", r#"host="cap-1""#, At(8.0), At(8.0)),
                  ("cap_kek_process_loaded_versions", r#"host="cap-1",version="8""#, At(1.0), At(0.0))] },
    Fault { fires: &[("KEKVersionSkew", 90, W, "")], restart: Survived,
        series: &[("cap_kek_process_current_version", r#"host="cap-1""#, At(7.0), At(8.0)),
                  ("cap_kek_process_current_version", r#"host="cap-2""#, At(7.0), At(7.0))] },
    Fault { fires: &[("KEKRotationStuck", 135, W, r#"rotation_id="rot_1""#)], restart: Survived,
        series: &[("cap_kek_rotation_active", r#"rotation_id="rot_1""#, Absent, At(1.0)),
                  ("cap_kek_rotation_progress_ratio", r#"rotation_id="rot_1""#, Absent, At(0.5))] },
    Fault { fires: &[("NotificationDeliveryFailing", 79, W, r#"channel_type="email""#)], restart: Survived,
        series: &[("cap_notification_delivery_total", r#"channel_type="email",status="success""#, Grows(10), Grows(0)),
                  ("cap_notification_delivery_total", r#"channel_type="email",status="failed""#, Grows(0), Grows(10))] },
    Fault { fires: &[("DiscoveryCriticalFindings", 120, W, "")], restart: Survived,
        series: &[("cap_discovery_findings_open", r#"severity="critical""#, At(0.0), At(1.0))] },
    Fault { fires: &[("DiscoverySourceLost", 130, W, "")], restart: Survived,
        series: &[("cap_discovery_sources_total", "", At(2.0), At(2.0)),
                  ("cap_discovery_endpoints_total", r#"source_id="a""#, At(10.0), At(10.0)),
                  ("cap_discovery_endpoints_total", r#"source_id="b""#, At(10.0), Absent)] },
    Fault { fires: &[("ExternalProviderFailing", 82, W, r#"provider="acme""#)], restart: Survived,
        series: &[("cap_external_request_total", r#"provider="acme",endpoint="finalize",result="success""#, Grows(10), Grows(0)),
                  ("cap_external_request_total", r#"provider="acme",endpoint="finalize",result="failed""#, Grows(0), Grows(10))] },
    Fault { fires: &[("ExternalProviderSlow", 76, W, r#"provider="acme""#)], restart: Survived,
        series: &[("cap_external_request_duration_seconds_bucket", r#"provider="acme",endpoint="finalize",status="200",le="0.5""#, Grows(10), Grows(0)),
                  ("cap_external_request_duration_seconds_bucket", r#"provider="acme",endpoint="finalize",status="200",le="10.0""#, Grows(10), Grows(0)),
                  ("cap_external_request_duration_seconds_bucket", r#"provider="acme",endpoint="finalize",status="200",le="+Inf""#, Grows(10), Grows(10))] },
    Fault { fires: &[("ExternalProviderRateLimited", 76, W, r#"provider="acme""#)], restart: Survived,
        series: &[("cap_external_request_duration_seconds_count", r#"provider="acme",endpoint="finalize",status="429""#, Grows(0), Grows(1))] },
    Fault { fires: &[("AuditEventsDropped", 76, W, "")], restart: Survived,
        series: &[("cap_telemetry_audit_events_dropped_total", "", Grows(0), Grows(5))] },
    Fault { fires: &[("AuditRelayDisconnected", 75, W, "")], restart: Survived,
        series: &[("cap_telemetry_syslog_connected", "", At(1.0), At(0.0))] },
    Fault { fires: &[("SpansDropped", 76, W, "")], restart: Survived,
        series: &[("cap_telemetry_spans_dropped_total", "", Grows(0), Grows(5))] },
    Fault { fires: &[("SpanExportFailing", 76, W, "")], restart: Survived,
        series: &[("cap_telemetry_spans_failed_total", "", Grows(0), Grows(5)),
                  ("cap_telemetry_spans_rejected_total", "", Grows(0), Grows(0))] },
    Fault { fires: &[("SeriesFolded", 76, W, r#"family="cap_http_requests_total""#)], restart: Survived,
        series: &[("cap_telemetry_series_folded_total", r#"family="cap_http_requests_total""#, Grows(0), Grows(1))] },
    Fault { restart: Survived,
        fires: &[("HttpAvailabilityBudgetBurn1h", 63, C, r#"slo="http_availability""#), ("HttpAvailabilityBudgetBurn6h", 76, C, r#"slo="http_availability""#),
                 ("HttpAvailabilityBudgetBurn1d", 121, W, r#"slo="http_availability""#), ("HttpAvailabilityBudgetBurn3d", 241, W, r#"slo="http_availability""#)],
        series: &[("cap_http_requests_total", r#"method="GET",path="/",status="200""#, Grows(60), Grows(0)),
                  ("cap_http_requests_total", r#"method="GET",path="/",status="503""#, Grows(0), Grows(60))] },
    Fault { restart: Survived,
        fires: &[("HttpLatencyBudgetBurn1h", 71, C, r#"slo="http_latency""#), ("HttpLatencyBudgetBurn6h", 79, C, r#"slo="http_latency""#),
                 ("HttpLatencyBudgetBurn1d", 122, W, r#"slo="http_latency""#), ("HttpLatencyBudgetBurn3d", 241, W, r#"slo="http_latency""#)],
        series: &[("cap_http_request_duration_seconds_count", r#"method="GET",path="/""#, Grows(60), Grows(60)),
                  ("cap_http_request_duration_seconds_bucket", r#"method="GET",path="/",le="1""#, Grows(60), Grows(0))] },
    Fault { restart: Survived,
        fires: &[("JobSuccessBudgetBurn1h", 71, C, r#"slo="job_success""#), ("JobSuccessBudgetBurn6h", 79, C, r#"slo="job_success""#),
                 ("JobSuccessBudgetBurn1d", 122, W, r#"slo="job_success""#), ("JobSuccessBudgetBurn3d", 241, W, r#"slo="job_success""#)],
        series: &[("cap_jobs_completed_total", r#"type="renew",result="success""#, Grows(60), Grows(0)),
                  ("cap_jobs_completed_total", r#"type="renew",result="failed""#, Grows(0), Grows(60))] },
    Fault { restart: Survived,
        fires: &[("DistributionSuccessBudgetBurn1h", 71, C, r#"slo="distribution_success""#), ("DistributionSuccessBudgetBurn6h", 79, C, r#"slo="distribution_success""#),
                 ("DistributionSuccessBudgetBurn1d", 122, W, r#"slo="distribution_success""#), ("DistributionSuccessBudgetBurn3d", 241, W, r#"slo="distribution_success""#)],
        series: &[("cap_distribution_executions_total", r#"module="nginx",status="success""#, Grows(60), Grows(0)),
                  ("cap_distribution_executions_total", r#"module="nginx",status="failed""#, Grows(0), Grows(60))] },
    Fault { restart: Survived,
        fires: &[("NotificationDeliveryBudgetBurn1h", 71, C, r#"slo="notification_delivery""#), ("NotificationDeliveryBudgetBurn6h", 79, C, r#"slo="notification_delivery""#),
                 ("NotificationDeliveryBudgetBurn1d", 122, W, r#"slo="notification_delivery""#), ("NotificationDeliveryBudgetBurn3d", 241, W, r#"slo="notification_delivery""#)],
        series: &[("cap_notification_delivery_total", r#"channel_type="email",status="success""#, Grows(60), Grows(0)),
                  ("cap_notification_delivery_total", r#"channel_type="email",status="failed""#, Grows(0), Grows(60))] },
];

/// The cases that are over within hours.
pub(super) fn short() -> Vec<Case> {
    let all = Case::every_minute(
        "every alert fires at its minute with its labels, and only where there is a fault",
    );
    let faults = FAULTS.iter().filter(|fault| !is_long(fault));
    vec![faults.fold(all, with_fault), lost_replica()]
}

/// The cases that last a day or so, and are evaluated less often.
pub(super) fn long() -> Vec<Case> {
    let all =
        Case::every_minute("alerts that take hours fire then, and only where there is a fault");
    let faults = FAULTS.iter().filter(|fault| is_long(fault));
    vec![faults.fold(all, with_fault), healthy_fleet()]
}

fn is_long(fault: &Fault) -> bool {
    fault.fires.iter().any(|(_, at, ..)| *at > 6 * 60)
}

/// The alerts that some case sees fire.
#[cfg(test)]
pub(super) fn tested() -> Vec<&'static str> {
    let names = FAULTS
        .iter()
        .flat_map(|fault| fault.fires.iter().map(|(name, ..)| *name));
    names.chain(["CertAutoPilotReplicaDown"]).collect()
}

fn target(cluster: &str, namespace: &str, instance: &str) -> String {
    format!(
        r#"cluster="{cluster}",namespace="{namespace}",job="certautopilot",instance="{instance}:8181""#
    )
}

fn with_fault(mut case: Case, fault: &Fault) -> Case {
    let cluster = fault.fires[0].0;
    let last = fault
        .fires
        .iter()
        .map(|(_, at, ..)| at + 30)
        .max()
        .unwrap_or_default();
    let after = last - BEFORE;
    for (metric, labels, well, ill) in fault.series {
        // A host is reported by itself alone; everything else by every replica.
        let replicas: &[&str] = if labels.starts_with("host=") {
            &["a"]
        } else {
            &["a", "b"]
        };
        for replica in replicas {
            let steady = [
                shaped(*well, 0, BEFORE),
                shaped(*ill, reached(*well, BEFORE), after),
            ];
            case = case.series(metric, &target(cluster, "faulty", replica), labels, &steady);
            case = case.series(
                metric,
                &target(cluster, "healthy", replica),
                labels,
                &[shaped(*well, 0, last)],
            );
            let cold = [shaped(Absent, 0, 30), shaped(*well, 0, last - 30)];
            case = case.series(metric, &target(cluster, "cold", replica), labels, &cold);
            if fault.restart == Survived {
                // The fault shows for five minutes, then every scrape is lost for three, then it is there again. One pod is another by then.
                let begun = [
                    shaped(*well, 0, BEFORE),
                    shaped(*ill, reached(*well, BEFORE), 5),
                ];
                let value = reached(*well, BEFORE) + reached(*ill, 5);
                if *replica == "a" && replicas.len() > 1 {
                    let ended = [&begun[..], &["stale".to_owned()]].concat();
                    case = case.series(metric, &target(cluster, "restart", "a"), labels, &ended);
                    let born = [shaped(Absent, 0, BEFORE + 8), shaped(*ill, 0, after - 8)];
                    case = case.series(metric, &target(cluster, "restart", "c"), labels, &born);
                } else {
                    let gap = [
                        &begun[..],
                        &[
                            "stale".to_owned(),
                            shaped(Absent, 0, 2),
                            shaped(*ill, value, after - 8),
                        ],
                    ]
                    .concat();
                    case = case.series(metric, &target(cluster, "restart", replica), labels, &gap);
                }
            }
        }
    }
    for &(alert, at, severity, labels) in fault.fires {
        case = case.quiet(at - 1, &format!(r#"ALERTS{{alertname="{alert}",cluster="{cluster}",namespace="faulty",alertstate="firing"}}"#));
        case = case.firing(at, alert, cluster, "faulty", severity, labels);
        if fault.restart == Survived {
            case = case.firing(at + 15, alert, cluster, "restart", severity, labels);
        }
        let silent = format!(
            r#"count_over_time(ALERTS{{alertname="{alert}",cluster="{cluster}",namespace=~"healthy|cold",alertstate="firing"}}[{last}m])"#
        );
        case = case.quiet(last - 1, &silent);
    }
    case
}

/// One of two replicas is gone: that is not the service's being down.
fn lost_replica() -> Case {
    let up = [shaped(At(1.0), 0, 120)];
    let lost = [shaped(At(1.0), 0, BEFORE), shaped(At(0.0), 0, 60)];
    Case::every_minute("CertAutoPilotReplicaDown")
        .series("up", &target("lost", "faulty", "a"), "", &up)
        .series("up", &target("lost", "faulty", "b"), "", &lost)
        .quiet(
            74,
            r#"ALERTS{alertname="CertAutoPilotReplicaDown",alertstate="firing"}"#,
        )
        .firing(
            75,
            "CertAutoPilotReplicaDown",
            "lost",
            "faulty",
            W,
            r#"instance="b:8181""#,
        )
        .quiet(
            119,
            r#"count_over_time(ALERTS{alertname="CertAutoPilotDown"}[120m])"#,
        )
}

/// Two replicas at work for 26 hours, and nothing fires.
fn healthy_fleet() -> Case {
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
                &[shaped(*shape, 0, MINUTES)],
            );
        }
    }
    case.quiet(
        MINUTES - 1,
        r#"count_over_time(ALERTS{alertstate="firing"}[26h])"#,
    )
}

fn reached(shape: Shape, minutes: u32) -> u32 {
    match shape {
        Grows(by) => by * minutes,
        At(_) | Absent => 0,
    }
}

/// So many samples, a counter's from the value it has.
fn shaped(shape: Shape, from: u32, minutes: u32) -> String {
    match shape {
        At(value) => format!("{value}x{}", minutes - 1),
        Grows(by) => format!("{from}+{by}x{}", minutes - 1),
        Absent => format!("_x{minutes}"),
    }
}

impl Case {
    fn every_minute(name: &'static str) -> Self {
        Case {
            interval: "1m",
            ..Case::new(name)
        }
    }

    /// Expects the expression to have no result at that minute.
    fn quiet(mut self, minute: u32, expr: &str) -> Self {
        self.promql_expr_test.push(ExprCheck {
            eval_time: format!("{minute}m"),
            expr: expr.to_owned(),
            exp_samples: Vec::new(),
        });
        self
    }

    /// Expects the alert of that installation to fire at that minute, once and with these labels.
    fn firing(
        mut self,
        minute: u32,
        alert: &str,
        cluster: &str,
        namespace: &str,
        severity: &str,
        labels: &str,
    ) -> Self {
        let more = if labels.is_empty() {
            String::new()
        } else {
            format!(",{labels}")
        };
        self.promql_expr_test.push(ExprCheck {
            eval_time: format!("{minute}m"),
            expr: format!(r#"ALERTS{{alertname="{alert}",cluster="{cluster}",namespace="{namespace}",alertstate="firing"}}"#),
            exp_samples: vec![Sample {
                labels: format!(
                    r#"ALERTS{{alertname="{alert}",alertstate="firing",severity="{severity}",cluster="{cluster}",namespace="{namespace}",job="certautopilot"{more}}}"#
                ),
                value: 1,
            }],
        });
        self
    }
}
