//! Alerts on the job queue, and on the distributions that its jobs make.

use crate::definition::Definition;

const GROUP: &str = "certautopilot-jobs";

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::extended(
            GROUP,
            "JobQueueStalled",
            r#"max by ($GROUP, type) (min_over_time(cap_jobs_queue_depth[$WINDOW])) > 0
unless on ($GROUP, type)
sum by ($GROUP, type) (increase(cap_jobs_completed_total[$WINDOW])) > 0"#,
        )
        .window("15m")
        .for_duration("15m")
        .critical()
        .says(
            "Jobs of type {{ $labels.type }} wait and none completes",
            "At least {{ $value }} jobs of type {{ $labels.type }} were waiting for the last $WINDOW, and no attempt ended.",
        )
        .runbook(
            "The queue was never empty during the window, and no attempt of that type ended.",
            "No work of this type is done: no renewals, for example, no distributions or no notifications.",
            [
                ("Waiting jobs by type", "max by (type) (cap_jobs_queue_depth)"),
                ("Attempts that ended, by result", "sum by (type, result) (increase(cap_jobs_completed_total[30m]))"),
            ],
            "Look for workers that hang in a call without a timeout, for a locked database, and for a replica that took the jobs \
             and died.",
        ),
        Definition::extended(
            GROUP,
            "JobQueueBacklog",
            "max by ($GROUP, type) (last_over_time(cap_jobs_queue_depth[$WINDOW])) > $THRESHOLD",
        )
        .threshold("100")
        .window("10m")
        .for_duration("30m")
        .says(
            "Jobs of type {{ $labels.type }} pile up",
            "Jobs of type {{ $labels.type }} waiting: {{ $value }}.",
        )
        .runbook(
            "More jobs have been waiting than the threshold allows.",
            "All work of this type is late.",
            [
                ("Queued minus completed, per second", "sum by (type) (rate(cap_jobs_queued_total[30m])) - sum by (type) (rate(cap_jobs_completed_total[30m]))"),
                ("Duration of an attempt, 95th percentile", "histogram_quantile(0.95, sum by (type, le) (rate(cap_jobs_duration_seconds_bucket[30m])))"),
            ],
            "If attempts became slow, find the reason in their traces. If more jobs are queued than before, add workers or spread \
             the load.",
        ),
        Definition::extended(
            GROUP,
            "JobFailureRatioHigh",
            r#"sum by ($GROUP, type) (increase(cap_jobs_completed_total{result="failed"}[$WINDOW]))
/
(sum by ($GROUP, type) (increase(cap_jobs_completed_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.1")
        .window("30m")
        .for_duration("15m")
        .says(
            "Jobs of type {{ $labels.type }} fail often",
            "Share of failed attempts of type {{ $labels.type }}: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The share of attempts that fail is above the threshold. Attempts that will be retried count too.",
            "Jobs are late, and some will be dead-lettered.",
            [("Attempts by result", "sum by (type, result) (rate(cap_jobs_completed_total[30m]))")],
            "Group the spans of failed jobs by cap.error.class. Usually one class dominates and names the cause.",
        ),
        Definition::extended(
            GROUP,
            "JobRetryStorm",
            r#"sum by ($GROUP, type) (increase(cap_jobs_retry_total[$WINDOW]))
/
(sum by ($GROUP, type) (increase(cap_jobs_completed_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.5")
        .window("30m")
        .for_duration("15m")
        .says(
            "Jobs of type {{ $labels.type }} are mostly retried",
            "Share of attempts of type {{ $labels.type }} that will be retried: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "Most attempts fail and are retried.",
            "The load on the queue and on external systems multiplies, and rate limits come closer.",
            [("Retries by type", "sum by (type) (rate(cap_jobs_retry_total[30m]))")],
            "Find the system that all of these jobs call. If it is down, pause jobs of this type, so that they do not use up their \
             attempts.",
        ),
        Definition::extended(
            GROUP,
            "DistributionFailureRatioHigh",
            r#"sum by ($GROUP, module) (increase(cap_distribution_executions_total{status=~"failed|partial"}[$WINDOW]))
/
(sum by ($GROUP, module) (increase(cap_distribution_executions_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.1")
        .window("30m")
        .for_duration("15m")
        .says(
            "Distributions by {{ $labels.module }} fail often",
            "Share of distributions by {{ $labels.module }} that did not reach every target: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The share of the module's runs that fail, wholly or in part, is above the threshold.",
            "Targets keep serving the old certificate until it expires.",
            [("Results of targets by error class", "sum by (module, error_class) (increase(cap_distribution_target_result_total[30m]))")],
            "The error class says where to look: network and auth concern the connection to the target, validation concerns the \
             input.",
        ),
        Definition::extended(
            GROUP,
            "DistributionValidationFailing",
            r#"sum by ($GROUP) (increase(cap_distribution_validation_total{status="failed"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .event_window("30m")
        .for_duration("15m")
        .says(
            "Targets do not serve the certificates pushed to them",
            "Checks that failed in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "A distribution succeeded, but the target then presented another certificate.",
            "The target serves the old certificate until it expires.",
            [("Checks by result", "sum by (status) (increase(cap_distribution_validation_total[1h]))")],
            "Fetch the target's certificate and compare fingerprints. Often the target was not reloaded, or a proxy in front of it \
             terminates TLS.",
        ),
        Definition::extended(
            GROUP,
            "DistributionFanoutStuck",
            r#"sum by ($GROUP) (last_over_time(cap_distribution_fanout_children_active[10m])) > 0
unless on ($GROUP)
sum by ($GROUP) (increase(cap_distribution_target_result_total[$WINDOW])) > 0"#,
        )
        .window("30m")
        .for_duration("30m")
        .says(
            "A distribution to many targets makes no progress",
            "Active child runs: {{ $value }}. No target answered in the last $WINDOW.",
        )
        .runbook(
            "Child runs of a fan-out are active, and no target answers.",
            "The remaining targets keep the old certificate.",
            [("Active child runs", "sum(cap_distribution_fanout_children_active)")],
            "Look for child runs that hang in a call to their target, and end them. They are retried.",
        ),
    ]
}
