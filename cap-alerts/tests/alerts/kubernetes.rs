//! The custom resources by the Prometheus operator's own schemas.

use std::fs;

use cap_alerts::generated_files;
use serde_json::Value;

#[test]
fn the_prometheus_rule_follows_its_schema() {
    let Some(faults) = faults_by("prometheusrule") else {
        return;
    };
    assert_eq!(faults(&resource("prometheusrule.yaml")), [""; 0]);
    assert_eq!(faults(&resource("prometheusrule-extended.yaml")), [""; 0]);
}

#[test]
fn the_service_monitor_follows_its_schema() {
    let Some(faults) = faults_by("servicemonitor") else {
        return;
    };
    assert_eq!(faults(&resource("servicemonitor.yaml")), [""; 0]);
}

#[test]
fn the_pod_monitor_follows_its_schema() {
    let Some(faults) = faults_by("podmonitor") else {
        return;
    };
    assert_eq!(faults(&resource("podmonitor.yaml")), [""; 0]);
}

#[test]
fn labels_of_the_product_win_over_those_that_the_operator_adds() {
    assert_eq!(
        resource("servicemonitor.yaml")["spec"]["endpoints"][0]["honorLabels"],
        true
    );
    assert_eq!(
        resource("podmonitor.yaml")["spec"]["podMetricsEndpoints"][0]["honorLabels"],
        true
    );
}

#[test]
fn the_schema_would_find_a_hold_that_is_not_a_duration() {
    let Some(faults) = faults_by("prometheusrule") else {
        return;
    };
    let mut rule = resource("prometheusrule.yaml");
    rule["spec"]["groups"][0]["rules"][0]["for"] = "1 hour".into();
    assert_eq!(faults(&rule).len(), 1);
}

fn resource(file: &str) -> Value {
    let generated = generated_files()
        .into_iter()
        .find(|generated| generated.path.ends_with(file))
        .expect("a generated file");
    serde_saphyr::from_str(&generated.text).expect("YAML")
}

/// A validator by the schema of a resource, unless the schemas are not at hand.
#[expect(clippy::print_stdout, reason = "a test that is skipped says so")]
pub(crate) fn faults_by(resource: &str) -> Option<impl Fn(&Value) -> Vec<String>> {
    let path = format!(
        concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../shared/crd/{}.schema.json"
        ),
        resource
    );
    let Ok(schema) = fs::read_to_string(path) else {
        println!("skipped: no schema of {resource} beside the repository (shared/crd)");
        return None;
    };
    let validator = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON"))
        .expect("a JSON Schema");
    Some(move |resource: &Value| {
        validator
            .iter_errors(resource)
            .map(|fault| fault.to_string())
            .collect()
    })
}
