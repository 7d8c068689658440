//! Alerts on the job queue and on what its jobs distribute.

use super::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        // The window is twice the hold: one dead letter keeps the alert active long enough to fire.
        Definition::new(
            "JobDeadLetterRising",
            "sum by ($GROUP, type) (\n  increase(cap_jobs_dead_letter_total[$WINDOW])\n) > $THRESHOLD",
        )
        .recommended()
        .threshold("0")
        .event("30m")
        .hold("15m")
        .says(
            "Jobs of type {{ $labels.type }} are given up",
            "Jobs of type {{ $labels.type }} given up in the last $WINDOW: {{ $value | printf \"%.0f\" }}. They are not tried \
             again: find the cause in their last errors, then queue them anew.",
        )
        .runbook(
            "Jobs failed their last attempt and are not tried again.",
            "What they were for does not happen until somebody queues it anew.",
            [
                ("Jobs given up, by type", "sum by (type) (increase(cap_jobs_dead_letter_total[1h]))".into()),
                ("Failed attempts, by type", r#"sum by (type) (increase(cap_jobs_completed_total{result="failed"}[1h]))"#.into()),
            ],
            "Read the last error of the jobs, and the trace of an attempt: its error class says whether the network, credentials or \
             the input was at fault. Repair that, then queue the jobs anew. The alert ends when none was given up within its window.",
        ),
        Definition::new(
            "JobQueueStalled",
            r#"max by ($GROUP, type) (min_over_time(cap_jobs_queue_depth[$WINDOW])) > 0
unless on ($GROUP, type)
sum by ($GROUP, type) (increase(cap_jobs_completed_total[$WINDOW])) > 0"#,
        )
        .past("15m")
        .hold("15m")
        .critical()
        .says(
            "Jobs of type {{ $labels.type }} wait and none is done",
            "At least {{ $value }} jobs of type {{ $labels.type }} have been waiting, and not one ended.",
        )
        .runbook(
            "The queue was never empty for the whole window, and no attempt of that type ended.",
            "Renewals, distributions or notifications do not happen at all.",
            [
                ("Jobs that wait", "max by (type) (cap_jobs_queue_depth)".into()),
                ("Attempts that ended", "sum by (type, result) (increase(cap_jobs_completed_total[30m]))".into()),
            ],
            "Look for workers that hang in a call without a timeout, a locked database, or a replica that took the jobs and died.",
        ),
        Definition::new(
            "JobQueueBacklog",
            "max by ($GROUP, type) (last_over_time(cap_jobs_queue_depth[$WINDOW])) > $THRESHOLD",
        )
        .threshold("100")
        .past("10m")
        .hold("30m")
        .says(
            "Jobs of type {{ $labels.type }} pile up",
            "Jobs of type {{ $labels.type }} waiting: {{ $value }}.",
        )
        .runbook(
            "More jobs wait than the threshold, and have for a while.",
            "Everything of that type comes late.",
            [
                ("Put in, and done", "sum by (type) (rate(cap_jobs_queued_total[30m])) - sum by (type) (rate(cap_jobs_completed_total[30m]))".into()),
                ("How long an attempt takes", "histogram_quantile(0.95, sum by (type, le) (rate(cap_jobs_duration_seconds_bucket[30m])))".into()),
            ],
            "If attempts became slow, find out why in their traces. If more is put in than before, add workers or spread the load.",
        ),
        Definition::new(
            "JobFailureRatioHigh",
            r#"sum by ($GROUP, type) (increase(cap_jobs_completed_total{result="failed"}[$WINDOW]))
/
(sum by ($GROUP, type) (increase(cap_jobs_completed_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.1")
        .past("30m")
        .hold("15m")
        .says(
            "Jobs of type {{ $labels.type }} fail often",
            "Share of failed attempts of type {{ $labels.type }}: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "More attempts fail than the threshold allows. Attempts that are repeated count too.",
            "Jobs come late, and some will be given up.",
            [("Attempts by result", "sum by (type, result) (rate(cap_jobs_completed_total[30m]))".into())],
            "Group the failed jobs' spans by cap.error.class: one class usually dominates and names the cause.",
        ),
        Definition::new(
            "JobRetryStorm",
            r#"sum by ($GROUP, type) (increase(cap_jobs_retry_total[$WINDOW]))
/
(sum by ($GROUP, type) (increase(cap_jobs_completed_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.5")
        .past("30m")
        .hold("15m")
        .says(
            "Jobs of type {{ $labels.type }} are mostly repeated",
            "Share of attempts of type {{ $labels.type }} that will be repeated: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "Most attempts fail and are tried again.",
            "The load on the queue and on external systems multiplies, and rate limits come near.",
            [("Repeated attempts by type", "sum by (type) (rate(cap_jobs_retry_total[30m]))".into())],
            "Find the system that all of them call. If it is down, pause that type rather than let it burn through its attempts.",
        ),
        Definition::new(
            "DistributionFailureRatioHigh",
            r#"sum by ($GROUP, module) (increase(cap_distribution_executions_total{status=~"failed|partial"}[$WINDOW]))
/
(sum by ($GROUP, module) (increase(cap_distribution_executions_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.1")
        .past("30m")
        .hold("15m")
        .says(
            "Distributions by {{ $labels.module }} fail often",
            "Share of distributions by {{ $labels.module }} that did not reach every target: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "More runs of the module fail, wholly or in part, than the threshold allows.",
            "Targets keep serving the old certificate, until it expires.",
            [("What the targets answer", "sum by (module, error_class) (increase(cap_distribution_target_result_total[30m]))".into())],
            "The error class tells where to look: network and auth concern the way to the target, validation the input.",
        ),
        Definition::new(
            "DistributionValidationFailing",
            r#"sum by ($GROUP) (increase(cap_distribution_validation_total{status="failed"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .event("30m")
        .hold("15m")
        .says(
            "Targets do not serve what was pushed to them",
            "Checks that failed in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "A distribution succeeded, but the target then presents another certificate.",
            "The target serves the old certificate, until it expires.",
            [("Checks by result", "sum by (status) (increase(cap_distribution_validation_total[1h]))".into())],
            "Ask the target for its certificate and compare fingerprints. Often it was not reloaded, or a proxy in front terminates TLS.",
        ),
        Definition::new(
            "DistributionFanoutStuck",
            r#"sum by ($GROUP) (last_over_time(cap_distribution_fanout_children_active[10m])) > 0
unless on ($GROUP)
sum by ($GROUP) (increase(cap_distribution_target_result_total[$WINDOW])) > 0"#,
        )
        .past("30m")
        .hold("30m")
        .says(
            "A distribution to many targets does not move",
            "Child runs under way: {{ $value }}. No target has answered in the last $WINDOW.",
        )
        .runbook(
            "Child runs of a split distribution are under way, and none gets an answer.",
            "The targets that are left keep the old certificate.",
            [("Child runs under way", "sum(cap_distribution_fanout_children_active)".into())],
            "Look for child runs that hang in a call to their target, and end them; they are tried again.",
        ),
    ]
}
