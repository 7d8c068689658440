//! Service level objectives: the recording rules, and the alerts on how fast error budgets burn.
//!
//! A burn rate of 1 uses up the error budget of 30 days in 30 days. Every objective has four
//! pairs of windows. An alert fires when its burn rate is exceeded over both windows of its pair:
//! over the long one, so that the errors matter, and over the short one, so that they still
//! happen.

use crate::definition::{Definition, Diagnosis, Profile, Runbook, Severity};

const GROUP: &str = "certautopilot-slo";

/// A target for the share of events that are good.
struct Objective {
    /// Stands in alert names.
    name: &'static str,
    /// Stands in recorded series, and is the label `slo`.
    slo: &'static str,
    /// The bad events, as a noun.
    bad: &'static str,
    target: &'static str,
    errors: Errors,
    /// The counter of all events.
    total: &'static str,
}

/// How bad events are counted.
enum Errors {
    /// By a counter of their own.
    Counted(&'static str),
    /// As all events less those in this counter.
    AllBut(&'static str),
}

#[rustfmt::skip]
const OBJECTIVES: [Objective; 5] = [
    Objective {
        name: "HttpAvailability", slo: "http_availability", bad: "HTTP requests answered with 5xx", target: "0.999",
        errors: Errors::Counted(r#"cap_http_requests_total{status=~"5.."}"#),
        total: "cap_http_requests_total",
    },
    Objective {
        name: "HttpLatency", slo: "http_latency", bad: "HTTP requests slower than a second", target: "0.99",
        // The text format writes the bound as 1, OpenMetrics as 1.0.
        errors: Errors::AllBut(r#"cap_http_request_duration_seconds_bucket{le=~"1|1.0"}"#),
        total: "cap_http_request_duration_seconds_count",
    },
    Objective {
        name: "JobSuccess", slo: "job_success", bad: "failed job attempts", target: "0.99",
        errors: Errors::Counted(r#"cap_jobs_completed_total{result="failed"}"#),
        total: "cap_jobs_completed_total",
    },
    Objective {
        name: "DistributionSuccess", slo: "distribution_success", bad: "distributions that miss a target", target: "0.99",
        errors: Errors::Counted(r#"cap_distribution_executions_total{status=~"failed|partial"}"#),
        total: "cap_distribution_executions_total",
    },
    Objective {
        name: "NotificationDelivery", slo: "notification_delivery", bad: "failed notifications", target: "0.99",
        errors: Errors::Counted(r#"cap_notification_delivery_total{status="failed"}"#),
        total: "cap_notification_delivery_total",
    },
];

/// One pair of windows, and what exceeding the burn rate over both sets off.
struct Burn {
    rate: &'static str,
    long: &'static str,
    short: &'static str,
    for_duration: &'static str,
    severity: Severity,
}

#[rustfmt::skip]
const BURNS: [Burn; 4] = [
    Burn { rate: "14.4", long: "1h", short: "5m", for_duration: "2m", severity: Severity::Critical },
    Burn { rate: "6", long: "6h", short: "30m", for_duration: "15m", severity: Severity::Critical },
    Burn { rate: "3", long: "1d", short: "2h", for_duration: "1h", severity: Severity::Warning },
    Burn { rate: "1", long: "3d", short: "6h", for_duration: "3h", severity: Severity::Warning },
];

/// The windows of all burns.
const WINDOWS: [&str; 7] = ["5m", "30m", "1h", "2h", "6h", "1d", "3d"];

/// A recording rule, with placeholders.
pub(crate) struct RecordingRule {
    pub(crate) record: String,
    pub(crate) expr: String,
}

/// The share of bad events over every window: 0 without bad events, absent without any event.
pub(crate) fn recording_rules() -> Vec<RecordingRule> {
    let of = |objective: &'static Objective| {
        WINDOWS.iter().map(move |window| RecordingRule {
            record: objective.recorded(window),
            expr: objective.error_ratio(window),
        })
    };
    OBJECTIVES.iter().flat_map(of).collect()
}

pub(super) fn alerts() -> Vec<Definition> {
    OBJECTIVES.iter().flat_map(|objective| BURNS.iter().map(|burn| objective.alert(burn))).collect()
}

impl Objective {
    fn alert(&self, burn: &Burn) -> Definition {
        let Self { name, slo, bad, target, .. } = self;
        let Burn { rate, long, .. } = burn;
        let over = |window: &str| {
            let series = self.recorded(window);
            format!("max by ($GROUP) ({series}) > {rate} * (1 - $THRESHOLD)")
        };
        let look = |title: &str, query| Diagnosis { title: title.to_owned(), query };
        let page = format!("{name}BudgetBurn");
        Definition {
            name: format!("{page}{long}"),
            group: GROUP.to_owned(),
            profile: Profile::Extended,
            severity: burn.severity,
            for_duration: Some(burn.for_duration.to_owned()),
            threshold: Some((*target).to_owned()),
            window: None,
            event: false,
            expr: format!("{}\nand on ($GROUP)\n{}", over(long), over(burn.short)),
            summary: format!("Too many {bad}"),
            description: format!(
                "Share of {bad} over {long}: {{{{ $value | humanizePercentage }}}}. This is more than {rate} times what the \
                 objective of $THRESHOLD allows. At this rate, the error budget of 30 days is used up early."
            ),
            slo: Some((*slo).to_owned()),
            page: Some(page),
            runbook: Runbook {
                meaning: format!(
                    "The share of {bad} is so high that the error budget of 30 days is used up early. The objective is {target}."
                ),
                impact: "Users notice. The higher the share, the sooner the budget is used up.".to_owned(),
                diagnosis: vec![
                    look("Share over the last hour", self.recorded("1h")),
                    look("Share over three days", self.recorded("3d")),
                    look("All events per second", format!("sum(rate({}[5m]))", self.total)),
                ],
                mitigation: "Find what changed when the share rose: a release, a provider, the load. The traces of failed \
                             operations have the error class. Undo the change first, explain it afterwards."
                    .to_owned(),
            },
        }
    }

    /// The series that records the share of bad events over the window.
    fn recorded(&self, window: &str) -> String {
        format!("certautopilot:{}_errors:ratio_rate{window}", self.slo)
    }

    fn error_ratio(&self, window: &str) -> String {
        let sum = |series: &str| format!("sum by ($GROUP) (rate({series}[{window}]))");
        let total = sum(self.total);
        let errors = match self.errors {
            Errors::Counted(errors) => format!("{} or 0 * {total}", sum(errors)),
            Errors::AllBut(good) => format!("{total} - {}", sum(good)),
        };
        format!("(\n  {errors}\n)\n/\n(\n  {total} > 0\n)")
    }
}
