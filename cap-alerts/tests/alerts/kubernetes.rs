//! The custom resources by the Prometheus operator's own schemas.

use std::path::Path;

use serde_json::Value;

use crate::checkout::yaml;

const RULE: &str = "deploy/kubernetes/prometheusrule.yaml";
const SERVICE_MONITOR: &str = "deploy/kubernetes/servicemonitor.yaml";
const POD_MONITOR: &str = "deploy/kubernetes/podmonitor.yaml";

#[test]
fn the_prometheus_rules_follow_their_schema() {
    let schema = Schema::of("PrometheusRule");
    assert_eq!(schema.violations(&yaml(RULE)), [""; 0]);
    let extended = yaml("deploy/kubernetes/prometheusrule-extended.yaml");
    assert_eq!(schema.violations(&extended), [""; 0]);
}

#[test]
fn the_service_monitor_follows_its_schema() {
    let violations = Schema::of("ServiceMonitor").violations(&yaml(SERVICE_MONITOR));
    assert_eq!(violations, [""; 0]);
}

#[test]
fn the_pod_monitor_follows_its_schema() {
    let violations = Schema::of("PodMonitor").violations(&yaml(POD_MONITOR));
    assert_eq!(violations, [""; 0]);
}

#[test]
fn labels_of_the_product_win_over_the_operators() {
    assert_eq!(yaml(SERVICE_MONITOR)["spec"]["endpoints"][0]["honorLabels"], true);
    assert_eq!(yaml(POD_MONITOR)["spec"]["podMetricsEndpoints"][0]["honorLabels"], true);
}

#[test]
fn the_schema_refuses_a_for_that_is_not_a_duration() {
    let mut rule = yaml(RULE);
    rule["spec"]["groups"][0]["rules"][0]["for"] = "1 hour".into();
    assert_eq!(Schema::of("PrometheusRule").violations(&rule).len(), 1);
}

/// The schema of one kind of custom resource, from `tests/schemas`.
pub(crate) struct Schema(jsonschema::Validator);

impl Schema {
    pub(crate) fn of(kind: &str) -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join(format!("tests/schemas/{}.schema.json", kind.to_lowercase()));
        let text = std::fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let schema = serde_json::from_str(&text).expect("JSON");
        Self(jsonschema::validator_for(&schema).expect("a JSON Schema"))
    }

    pub(crate) fn violations(&self, resource: &Value) -> Vec<String> {
        self.0.iter_errors(resource).map(|violation| violation.to_string()).collect()
    }
}
