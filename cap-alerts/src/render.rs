//! The rules as files that Prometheus and its operator load.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::Serialize;

use crate::alert::{Alert, Recording, alerts, recordings};
use crate::duration;
use crate::options::Options;

/// The rules as a rule file, for `rule_files` in `prometheus.yml`.
pub fn rules_file(options: &Options) -> String {
    to_yaml(&Groups::of(options))
}

/// The rules as a `PrometheusRule` of the Prometheus operator (`monitoring.coreos.com/v1`), named
/// `certautopilot`.
pub fn prometheus_rule(options: &Options) -> String {
    to_yaml(&Resource {
        api_version: "monitoring.coreos.com/v1",
        kind: "PrometheusRule",
        metadata: Metadata {
            name: "certautopilot",
            labels: BTreeMap::from([
                ("app.kubernetes.io/name", "certautopilot"),
                ("release", "prometheus"),
            ]),
        },
        spec: Groups::of(options),
    })
}

/// YAML with multi-line strings as block scalars and all other strings on one line. Words that
/// YAML 1.1 reads as booleans are quoted.
pub(crate) fn to_yaml(value: &impl Serialize) -> String {
    let options = serde_saphyr::ser_options! { folded_wrap_chars: usize::MAX };
    serde_saphyr::to_string_with_options(value, options)
        .expect("a tree of strings, numbers, lists and maps always serializes")
}

/// The top of a rule file, and the spec of a `PrometheusRule`.
#[derive(Serialize)]
pub(crate) struct Groups {
    groups: Vec<Group>,
}

#[derive(Serialize)]
struct Group {
    name: &'static str,
    rules: Vec<Entry>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Entry {
    Alert(Rule),
    Record { record: String, expr: String },
}

/// An alerting rule as YAML.
#[derive(Serialize)]
pub(crate) struct Rule {
    pub(crate) alert: String,
    pub(crate) expr: String,
    #[serde(rename = "for", skip_serializing_if = "Option::is_none")]
    pub(crate) for_duration: Option<String>,
    pub(crate) labels: BTreeMap<&'static str, String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) annotations: BTreeMap<&'static str, String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    api_version: &'static str,
    kind: &'static str,
    metadata: Metadata,
    spec: Groups,
}

#[derive(Serialize)]
struct Metadata {
    name: &'static str,
    labels: BTreeMap<&'static str, &'static str>,
}

impl Groups {
    /// The rules of a deployment. Groups without rules are left out.
    fn of(options: &Options) -> Self {
        // Recordings are in the group of the alerts that read them, and before them: Prometheus
        // evaluates the rules of a group in order.
        let records =
            recordings(options).into_iter().map(|rule| ("certautopilot-slo", Entry::from(rule)));
        let alerts =
            alerts(options).into_iter().map(|alert| (alert.group, Entry::Alert(alert.into())));
        let mut groups: Vec<Group> = Vec::new();
        for (name, entry) in records.chain(alerts) {
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.rules.push(entry),
                None => groups.push(Group { name, rules: vec![entry] }),
            }
        }
        groups.sort_by_key(|group| group.name == "certautopilot-slo");
        Self { groups }
    }
}

impl From<Recording> for Entry {
    fn from(rule: Recording) -> Self {
        Self::Record { record: rule.record, expr: rule.expr }
    }
}

impl From<Alert> for Rule {
    fn from(alert: Alert) -> Self {
        Self {
            alert: alert.name,
            expr: alert.expr,
            for_duration: (alert.for_duration > Duration::ZERO)
                .then(|| duration::format(alert.for_duration)),
            labels: alert.labels,
            annotations: alert.annotations,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_survive_the_way_through_yaml() {
        let rules = rules_file(&Options::default());
        let read: serde_json::Value = serde_saphyr::from_str(&rules).unwrap();
        for (index, alert) in alerts(&Options::default()).into_iter().enumerate() {
            let rule = &read["groups"][0]["rules"][index];
            assert_eq!(rule["alert"], alert.name);
            assert_eq!(rule["expr"], alert.expr);
            for (name, text) in alert.annotations {
                assert_eq!(rule["annotations"][name], text);
            }
        }
    }

    #[test]
    fn a_rule_that_fires_at_once_has_no_for() {
        let read: serde_json::Value =
            serde_saphyr::from_str(&prometheus_rule(&Options::default())).unwrap();
        let durations: Vec<_> =
            (0..4).map(|index| read["spec"]["groups"][0]["rules"][index]["for"].as_str()).collect();
        assert_eq!(durations, [Some("1h"), Some("5m"), Some("15m"), None]);
    }
}
