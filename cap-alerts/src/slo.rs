//! Service level objectives: what is recorded, and the alerts on how fast their error budgets burn.
//!
//! Every objective has four pairs of windows. A burn rate of 1 uses up the budget of 30 days in 30 days; each alert wants its
//! rate exceeded over the long window, so that it matters, and over the short one, so that it still goes on.

use crate::definition::{Definition, Severity};

/// An objective: which of all events were bad.
struct Objective {
    /// In alert names.
    name: &'static str,
    /// In recorded series, and as the label `slo`.
    slo: &'static str,
    /// What went wrong, in a sentence.
    bad: &'static str,
    target: &'static str,
    errors: &'static str,
    total: &'static str,
}

#[rustfmt::skip]
const OBJECTIVES: [Objective; 5] = [
    Objective {
        name: "HttpAvailability", slo: "http_availability", bad: "HTTP requests are answered with 5xx", target: "0.999",
        errors: r#"cap_http_requests_total{status=~"5.."}"#,
        total: "cap_http_requests_total",
    },
    Objective {
        name: "HttpLatency", slo: "http_latency", bad: "HTTP requests take longer than a second", target: "0.99",
        // All that were counted, less the quick ones.
        errors: "",
        total: "cap_http_request_duration_seconds_count",
    },
    Objective {
        name: "JobSuccess", slo: "job_success", bad: "job attempts fail", target: "0.99",
        errors: r#"cap_jobs_completed_total{result="failed"}"#,
        total: "cap_jobs_completed_total",
    },
    Objective {
        name: "DistributionSuccess", slo: "distribution_success", bad: "distributions do not reach every target", target: "0.99",
        errors: r#"cap_distribution_executions_total{status=~"failed|partial"}"#,
        total: "cap_distribution_executions_total",
    },
    Objective {
        name: "NotificationDelivery", slo: "notification_delivery", bad: "notifications are given up", target: "0.99",
        errors: r#"cap_notification_delivery_total{status="failed"}"#,
        total: "cap_notification_delivery_total",
    },
];

/// Burn rate, long and short window, hold, severity.
const BURNS: [(&str, &str, &str, &str, Severity); 4] = [
    ("14.4", "1h", "5m", "2m", Severity::Critical),
    ("6", "6h", "30m", "15m", Severity::Critical),
    ("3", "1d", "2h", "1h", Severity::Warning),
    ("1", "3d", "6h", "3h", Severity::Warning),
];

const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// A recording rule, with placeholders.
pub(crate) struct Recording {
    pub(crate) record: String,
    pub(crate) expr: String,
}

/// The share of bad events over every window. A service without bad events records 0, an idle one nothing.
pub(crate) fn recordings() -> Vec<Recording> {
    let of = |objective: &'static Objective| {
        WINDOWS.iter().map(move |window| Recording {
            record: recorded(objective, window),
            expr: ratio(objective, window),
        })
    };
    OBJECTIVES.iter().flat_map(of).collect()
}

pub(crate) fn alerts() -> Vec<Definition> {
    OBJECTIVES
        .iter()
        .flat_map(|objective| BURNS.map(|burn| alert(objective, burn)))
        .collect()
}

fn alert(
    objective: &'static Objective,
    (rate, long, short, hold, severity): (
        &'static str,
        &'static str,
        &'static str,
        &'static str,
        Severity,
    ),
) -> Definition {
    let Objective {
        name,
        slo,
        bad,
        target,
        ..
    } = objective;
    let (over_long, over_short) = (recorded(objective, long), recorded(objective, short));
    let over = |series: &str| format!("max by ($GROUP) ({series}) > {rate} * (1 - $THRESHOLD)");
    let page = format!("{name}BudgetBurn");
    let built = Definition::build(
        format!("{page}{long}"),
        format!("{}\nand on ($GROUP)\n{}", over(&over_long), over(&over_short)),
    )
    .threshold(*target)
    .hold(hold)
    .label("slo", slo)
    .page(page)
    .says(
        format!("Too many {bad}"),
        format!(
            "Over {long}, {{{{ $value | humanizePercentage }}}} of all: {bad}. At {rate} times the rate that the objective of \
             $THRESHOLD allows, the error budget of 30 days is used up early."
        ),
    )
    .runbook(
        format!("So many {bad} that the error budget of 30 days is used up early. The objective is {target}."),
        "Users notice. The faster the budget burns, the sooner nothing is left of it.",
        [
            ("Share over the last hour", recorded(objective, "1h").into()),
            ("Share over three days", recorded(objective, "3d").into()),
            ("All of it, by second", format!("sum(rate({}[5m]))", objective.total).into()),
        ],
        "Find what changed when the share rose: a release, a provider, the load. The traces of failed operations name the class of \
         their errors. Undo the change first, explain it afterwards.",
    );
    match severity {
        Severity::Critical => built.critical(),
        Severity::Warning => built,
    }
}

fn recorded(objective: &Objective, window: &str) -> String {
    format!("certautopilot:{}_errors:ratio_rate{window}", objective.slo)
}

fn ratio(objective: &Objective, window: &str) -> String {
    let sum = |series: &str| format!("sum by ($GROUP) (rate({series}[{window}]))");
    let total = sum(objective.total);
    let errors = match objective.errors {
        // The text format writes the bound as 1, OpenMetrics as 1.0.
        "" => format!(
            "{total} - {}",
            sum(r#"cap_http_request_duration_seconds_bucket{le=~"1|1.0"}"#)
        ),
        errors => format!("{} or 0 * {total}", sum(errors)),
    };
    format!("(\n  {errors}\n)\n/\n(\n  {total} > 0\n)")
}
