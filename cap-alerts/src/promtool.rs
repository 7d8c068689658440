//! Unit tests of the alerts for `promtool test rules`: when each fires, with which labels and words, and when it must not.
//!
//! Expected labels and annotations are written out here, not derived from the rules they test.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::literal;
use crate::render::document;

mod cases;
mod extended;

/// The test file of the alerts with default [`Options`](crate::Options). It loads `../certautopilot.rules.yml`, and
/// `../proof/literal.rules.yml` to show that the literal form of the first alert stays silent where the generated one fires.
pub fn rule_tests() -> String {
    document(&File {
        rule_files: vec!["../certautopilot.rules.yml", "../proof/literal.rules.yml"],
        evaluation_interval: "30s",
        tests: cases::all(),
    })
}

/// The test files of the extended profile, which load `../certautopilot-extended.rules.yml`, by name: every alert fires at its minute
/// with its labels, once for two replicas, through restarts and lost scrapes; cold starts and 26 hours of health are silent.
pub fn extended_rule_tests() -> [(&'static str, String); 2] {
    let file = |evaluation_interval, tests| {
        document(&File {
            rule_files: vec!["../certautopilot-extended.rules.yml"],
            evaluation_interval,
            tests,
        })
    };
    [
        ("extended.test.yml", file("1m", extended::short())),
        ("extended-day.test.yml", file("5m", extended::long())),
    ]
}

#[derive(Serialize)]
struct File {
    rule_files: Vec<&'static str>,
    evaluation_interval: &'static str,
    tests: Vec<Case>,
}

/// One set of series, sampled every 30 seconds, and what the alerts make of it.
#[derive(Serialize)]
struct Case {
    name: &'static str,
    interval: &'static str,
    input_series: Vec<Series>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    alert_rule_test: Vec<AlertCheck>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    promql_expr_test: Vec<ExprCheck>,
}

#[derive(Clone, Serialize)]
struct Series {
    series: String,
    values: String,
}

#[derive(Serialize)]
struct AlertCheck {
    eval_time: &'static str,
    alertname: &'static str,
    exp_alerts: Vec<Firing>,
}

/// One alert that fires.
#[derive(Clone, Serialize)]
struct Firing {
    exp_labels: BTreeMap<&'static str, &'static str>,
    exp_annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
struct ExprCheck {
    eval_time: String,
    expr: String,
    exp_samples: Vec<Sample>,
}

#[derive(Serialize)]
struct Sample {
    labels: String,
    value: u32,
}

impl Case {
    fn new(name: &'static str) -> Self {
        Case {
            name,
            interval: "30s",
            input_series: Vec::new(),
            alert_rule_test: Vec::new(),
            promql_expr_test: Vec::new(),
        }
    }

    /// Adds a series with the labels of a target, its own labels, and its samples.
    fn series(mut self, metric: &str, target: &str, labels: &str, values: &[String]) -> Self {
        let labels = [target, labels]
            .map(str::to_owned)
            .into_iter()
            .filter(|part| !part.is_empty());
        self.input_series.push(Series {
            series: format!("{metric}{{{}}}", labels.collect::<Vec<_>>().join(",")),
            values: values.join(" "),
        });
        self
    }

    /// Adds the same series for two replicas in production.
    fn replicas(self, metric: &str, labels: &str, values: &[String]) -> Self {
        [cases::REPLICA_0, cases::REPLICA_1]
            .into_iter()
            .fold(self, |case, target| {
                case.series(metric, target, labels, values)
            })
    }

    /// Expects the alert to fire at that time, once for each of `firing` and no other.
    fn fires(
        mut self,
        eval_time: &'static str,
        alertname: &'static str,
        firing: &[&Firing],
    ) -> Self {
        self.alert_rule_test.push(AlertCheck {
            eval_time,
            alertname,
            exp_alerts: firing.iter().copied().cloned().collect(),
        });
        self
    }

    fn silent(self, eval_time: &'static str, alertname: &'static str) -> Self {
        self.fires(eval_time, alertname, &[])
    }

    /// Expects the expression to have that many results at that time.
    fn results(mut self, eval_time: &'static str, expr: &str, count: u32) -> Self {
        let samples = (count > 0).then_some(Sample {
            labels: "{}".to_owned(),
            value: count,
        });
        self.promql_expr_test.push(ExprCheck {
            eval_time: eval_time.to_owned(),
            expr: format!("count({expr})"),
            exp_samples: samples.into_iter().collect(),
        });
        self
    }
}

/// The same value for some minutes.
fn flat(value: i64, minutes: u32) -> String {
    format!("{value}x{}", 2 * minutes - 1)
}

/// No successful scrape for some minutes: Prometheus marks the series stale at the first that fails.
fn lost(minutes: u32) -> String {
    format!("stale _x{}", 2 * minutes - 1)
}

/// No series yet for some minutes.
fn not_yet(minutes: u32) -> String {
    format!("_x{}", 2 * minutes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition::definitions;

    #[test]
    fn every_alert_is_seen_to_fire() {
        let mut tested = extended::tested();
        tested.sort_unstable();
        tested.dedup();
        let mut all: Vec<String> = definitions()
            .iter()
            .map(|alert| alert.name.to_string())
            .collect();
        all.sort_unstable();
        assert_eq!(tested, all);
    }
}
