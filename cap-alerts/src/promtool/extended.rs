//! The situations of the extended profile: for every alert one fault, in several installations at once.
//!
//! `faulty` has two replicas that are healthy for an hour and then are not. `restart` has the same fault, while a pod is replaced
//! and scrapes are lost; only alerts on targets have cases of their own instead. `cold` starts half an hour late and is healthy, and
//! `healthy` always is.

use super::{Case, ExprCheck, Sample};

mod faults;
mod fleet;
mod shape;
mod targets;

use faults::{FAULTS, Lint, Restart};
use shape::Shape::{Absent, At};

/// Minutes of health before the fault.
const BEFORE: u32 = 60;

/// The cases that are over within hours.
pub(super) fn short() -> Vec<Case> {
    let all = Case::every_minute(
        "every alert fires at its minute with its labels, and only where there is a fault",
    );
    let faults = FAULTS.iter().filter(|fault| !is_long(fault));
    vec![
        faults.fold(all, with_fault),
        targets::lost_replica(),
        targets::replaced_while_down(),
        targets::harmless(),
    ]
}

/// The cases that last a day or so, and are evaluated less often.
pub(super) fn long() -> Vec<Case> {
    let all =
        Case::every_minute("alerts that take hours fire then, and only where there is a fault");
    let faults = FAULTS.iter().filter(|fault| is_long(fault));
    vec![faults.fold(all, with_fault), fleet::healthy()]
}

fn is_long(fault: &Lint) -> bool {
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

fn with_fault(mut case: Case, fault: &Lint) -> Case {
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
                well.samples(0, BEFORE),
                ill.samples(well.reached(BEFORE), after),
            ];
            case = case.series(metric, &target(cluster, "faulty", replica), labels, &steady);
            case = case.series(
                metric,
                &target(cluster, "healthy", replica),
                labels,
                &[well.samples(0, last)],
            );
            let cold = [Absent.samples(0, 30), well.samples(0, last - 30)];
            case = case.series(metric, &target(cluster, "cold", replica), labels, &cold);
            if let Restart::After(shown) = fault.restart {
                // The fault shows for some minutes, then every scrape is lost for three, then it is there again. One pod is another by then.
                let begun = [
                    well.samples(0, BEFORE),
                    ill.samples(well.reached(BEFORE), shown),
                ];
                let value = well.reached(BEFORE) + ill.reached(shown);
                if *replica == "a" && replicas.len() > 1 {
                    let ended = [&begun[..], &["stale".to_owned()]].concat();
                    case = case.series(metric, &target(cluster, "restart", "a"), labels, &ended);
                    let born = [
                        Absent.samples(0, BEFORE + shown + 3),
                        ill.samples(0, after - shown - 3),
                    ];
                    case = case.series(metric, &target(cluster, "restart", "c"), labels, &born);
                } else {
                    let lost = match *metric {
                        "up" => At(0.0).samples(0, 3),
                        _ => format!("stale {}", Absent.samples(0, 2)),
                    };
                    let gap = [&begun[..], &[lost, ill.samples(value, after - shown - 3)]].concat();
                    case = case.series(metric, &target(cluster, "restart", replica), labels, &gap);
                }
            }
        }
    }
    for &(alert, at, severity, labels) in fault.fires {
        case = case.quiet(at - 1, &format!(r#"ALERTS{{alertname="{alert}",cluster="{cluster}",namespace="faulty",alertstate="firing"}}"#));
        case = case.firing(at, alert, cluster, "faulty", severity, labels);
        if fault.restart != Restart::OfTargets {
            // A hold that started anew would end eight minutes late.
            case = case.firing(at + 5, alert, cluster, "restart", severity, labels);
            case = case.firing(at + 15, alert, cluster, "restart", severity, labels);
        }
        let silent = format!(
            r#"count_over_time(ALERTS{{alertname="{alert}",cluster="{cluster}",namespace=~"healthy|cold",alertstate="firing"}}[{last}m])"#
        );
        case = case.quiet(last - 1, &silent);
    }
    case
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
