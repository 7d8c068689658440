//! Alertmanager's inhibit rules: which alert silences which other alerts.

use serde_json::{Value, json};

use crate::alerts::definitions;
use crate::options::Options;
use crate::render::to_yaml;

/// An Alertmanager configuration with the inhibit rules for all alerts.
///
/// The configuration loads as it is. Its receiver sends nothing: add your receivers, or copy
/// `inhibit_rules` into your configuration.
pub fn alertmanager(options: &Options) -> String {
    let mut group_by = vec!["alertname".to_owned()];
    group_by.extend(options.grouping_of(None));
    let note = "# Loads as it is and notifies nobody: copy inhibit_rules into your configuration, or add your\n# receivers here.\n";
    let yaml = to_yaml(&json!({
        "route": { "receiver": "nobody", "group_by": group_by },
        "receivers": [{ "name": "nobody" }],
        "inhibit_rules": inhibit_rules(options),
    }));
    format!("{note}{yaml}")
}

fn inhibit_rules(options: &Options) -> Vec<Value> {
    let group = options.grouping_of(None);
    let with = |more: &[&str]| -> Vec<String> {
        group.iter().cloned().chain(more.iter().map(|&label| label.to_owned())).collect()
    };
    let rule = |source: &[String], target: &[String], equal: Vec<String>| json!({ "source_matchers": source, "target_matchers": target, "equal": equal });
    let named = |name: &str| vec![format!("alertname=\"{name}\"")];
    // Another team's alert can have the same labels, so the alerts to silence are listed.
    let others: Vec<String> = definitions()
        .iter()
        .map(|alert| alert.name.clone())
        .filter(|name| name != "CertAutoPilotDown")
        .collect();
    let burns = |severity: &str| vec!["slo!=\"\"".to_owned(), format!("severity=\"{severity}\"")];
    vec![
        rule(
            &named("CertAutoPilotDown"),
            &[format!("alertname=~\"{}\"", others.join("|"))],
            with(&[]),
        ),
        rule(&named("LicenseInvalid"), &named("LicenseExpiringSoon"), with(&[])),
        rule(&named("LicenseLimitReached"), &named("LicenseUsageHigh"), with(&[])),
        rule(&named("JobQueueStalled"), &named("JobQueueBacklog"), with(&["type"])),
        rule(&burns("critical"), &burns("warning"), with(&["slo"])),
    ]
}
