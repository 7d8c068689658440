//! The summary a person reads.

use std::collections::BTreeMap;

use cap_metrics::{Group, METRICS};
use cap_names::ClosedEnum as _;

use super::alerts::Alerts;
use super::outcome::Outcome;
use super::trace;

/// Series of a group shown before the rest is only counted.
const SERIES: usize = 8;
/// Audit records shown.
const RECORDS: usize = 12;

pub(super) fn summary(outcome: &Outcome) {
    metrics(outcome);
    println!("\n== one renewal, in which the provider answered 503 twice");
    match outcome.renewal() {
        Some(trace) => print!("{}", trace::tree(&outcome.spans, trace)),
        None => println!("no such trace arrived"),
    }

    println!("\n== audit records as the relay read them ({} in all)", outcome.records.len());
    for record in kinds(&outcome.records) {
        println!("{record}");
    }

    alerts(&outcome.metrics.alerts);

    println!("\n== the accounting");
    println!("{:#}", outcome.json());
    println!("the service's own report: {}", outcome.report);
}

fn alerts(alerts: &Alerts) {
    let (checked, lacking) = (alerts.checked.len(), alerts.without_series.len());
    println!("\n== alert rules: {}", checked + lacking);
    println!("{checked} were checked against the scrape: each metric they read has series");
    for (name, metrics) in &alerts.without_series {
        println!("{name}: no series yet of {}", metrics.join(", "));
    }
    match &alerts.raised {
        None => println!("none was evaluated: that takes Prometheus, with --peers"),
        Some(raised) => (raised.iter()).for_each(|name| println!("{name}: raised by Prometheus")),
    }
}

/// A line for every series that counted something, group by group; buckets are left out.
fn metrics(outcome: &Outcome) {
    let mut groups: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for sample in outcome.metrics.scrape.samples() {
        let metric = METRICS.iter().find(|metric| {
            let rest = sample.name.strip_prefix(metric.name);
            rest.is_some_and(|rest| matches!(rest, "" | "_count"))
        });
        if let Some(metric) = metric.filter(|_| sample.value != 0.0) {
            let labels: Vec<_> =
                sample.labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
            let line = format!("{}{{{}}} {}", sample.name, labels.join(","), sample.value);
            groups.entry(metric.group as usize).or_default().push(line);
        }
    }
    for (group, lines) in groups {
        println!("\n== metrics: {}", Group::ALL[group]);
        lines.iter().take(SERIES).for_each(|line| println!("{line}"));
        if lines.len() > SERIES {
            println!("… and {} more", lines.len() - SERIES);
        }
    }
}

/// The first record of each event type.
fn kinds(records: &[String]) -> Vec<&str> {
    let mut seen: Vec<&str> = Vec::new();
    let mut first = Vec::new();
    for record in records {
        let kind = record
            .split_once("event_type=\"")
            .and_then(|(_, rest)| rest.split('"').next())
            .unwrap_or_default();
        if !seen.contains(&kind) {
            seen.push(kind);
            first.push(record.as_str());
        }
    }
    first.truncate(RECORDS);
    first
}
