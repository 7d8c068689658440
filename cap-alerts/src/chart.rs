//! The Helm chart's data: the alerts with their placeholders, and the schema of the values.

use serde_json::{Value, json};

use crate::alerts::{definitions, recording_rules};
use crate::definition::{Definition, Profile};
use crate::placeholder::with_selector;
use crate::render::to_yaml;

/// The rules as data. The template reads them by `.Files.Get`, which leaves the braces of
/// annotations alone, and fills the placeholders.
pub(crate) fn rules() -> String {
    let records: Vec<Value> = recording_rules()
        .iter()
        .map(|rule| json!({ "record": rule.record, "expr": with_selector(&rule.expr) }))
        .collect();
    let alerts: Vec<Value> = definitions().iter().map(alert).collect();
    to_yaml(&json!({ "alerts": alerts, "records": records }))
}

fn alert(alert: &Definition) -> Value {
    let mut data = json!({
        "name": alert.name,
        "group": alert.group,
        "profile": alert.profile.as_str(),
        "expr": with_selector(&alert.expr),
        "severity": alert.severity.as_str(),
        "summary": alert.summary,
        "description": alert.description,
        "page": alert.page(),
    });
    let mut set = |key: &str, value: Option<Value>| {
        if let Some(value) = value {
            data[key] = value;
        }
    };
    set("for", alert.for_duration.as_deref().map(Value::from));
    set("threshold", alert.threshold.as_deref().map(Value::from));
    set("window", alert.window.as_deref().map(Value::from));
    set("event", alert.event.then_some(Value::Bool(true)));
    set("labels", alert.slo.as_ref().map(|slo| json!({ "slo": slo })));
    data
}

/// The schema of the values. It lists the alerts and their settings, so that Helm refuses a
/// misspelled one.
pub(crate) fn schema() -> String {
    let mut schema: Value =
        serde_json::from_str(include_str!("chart/values.schema.json")).expect("the schema is JSON");
    let overrides: serde_json::Map<String, Value> =
        definitions().iter().map(|alert| (alert.name.clone(), settings(alert))).collect();
    let names: Vec<String> = overrides.keys().cloned().collect();
    let rule = &mut schema["properties"]["prometheusRule"]["properties"];
    rule["overrides"] =
        json!({ "type": "object", "additionalProperties": false, "properties": overrides });
    rule["disabled"] = json!({ "type": "array", "items": { "enum": names } });
    rule["profile"] = json!({ "enum": <Profile as cap_names::ClosedEnum>::VALUES });
    format!("{schema:#}\n")
}

fn settings(alert: &Definition) -> Value {
    let for_duration = json!({ "type": "string", "pattern": "^[0-9]+(s|m|h|d)$" });
    let window = json!({ "type": "string", "pattern": "^[1-9][0-9]*(s|m|h|d)$" });
    let mut settings = json!({
        "enabled": { "type": "boolean" },
        "for": for_duration,
        "severity": { "type": "string", "minLength": 1 },
        "grouping": { "type": "array", "items": { "type": "string", "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$" } },
        "selector": { "type": "string" },
        "runbookUrl": { "type": "string" },
    });
    if alert.threshold.is_some() {
        settings["threshold"] = json!({ "type": "number" });
    }
    if alert.window.is_some() {
        settings["window"] = window;
    }
    json!({ "type": "object", "additionalProperties": false, "properties": settings })
}
