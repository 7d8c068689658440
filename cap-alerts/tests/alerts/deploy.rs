//! What the other real programs say of the files that they load.

use std::path::Path;
use std::process::Command;

use crate::peers::require;

fn accepts(tool: &str, arguments: &[&str]) {
    let Some(program) = require(tool) else { return };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .output()
        .expect("it runs");
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{arguments:?}: {said}");
}

#[test]
fn alertmanager_takes_the_inhibit_rules() {
    accepts(
        "amtool",
        &["check-config", "deploy/alertmanager/alertmanager.yml"],
    );
}

#[test]
fn the_collector_takes_the_minimal_configuration() {
    accepts(
        "otelcol",
        &["validate", "--config", "deploy/otel-collector/minimal.yaml"],
    );
}

#[test]
fn the_collector_with_the_gateway_s_components_takes_both_tiers() {
    for tier in ["balancing", "sampling"] {
        let config = format!("deploy/otel-collector/gateway-{tier}.yaml");
        accepts("otelcol-gateway", &["validate", "--config", &config]);
    }
}
