//! Choices as a YAML document, and as single assignments.

use std::collections::BTreeMap;
use std::str::FromStr;

use cap_names::nearest;
use serde::Deserialize;
use serde_json::Value;

use super::{Disabled, LabelName, Options, Override};
use crate::Error;
use crate::definition::{Definition, definitions};
use crate::error::Kind;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    profile: Option<String>,
    grouping: Option<Vec<String>>,
    selector: Option<String>,
    job: Option<String>,
    runbook_base_url: Option<String>,
    grafana_url: Option<String>,
    #[serde(default)]
    alerts: BTreeMap<String, Settings>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    enabled: Option<bool>,
    #[serde(rename = "for")]
    hold: Option<String>,
    severity: Option<String>,
    threshold: Option<Value>,
    window: Option<String>,
    grouping: Option<Vec<String>>,
    selector: Option<String>,
    runbook_url: Option<String>,
}

pub(super) fn apply(options: &mut Options, yaml: &str) -> Result<(), Error> {
    let read: Result<Document, _> = serde_saphyr::from_str(yaml);
    let read = read.map_err(|error| Error(Kind::Document(error.to_string())))?;
    // All or nothing: a document that is refused half-way has changed nothing.
    let mut changed = options.clone();
    if let Some(profile) = parsed("profile", read.profile)? {
        changed.profile = profile;
    }
    if let Some(grouping) = names("grouping", read.grouping)? {
        changed.grouping = grouping;
    }
    if let Some(selector) = parsed("selector", read.selector)? {
        changed.selector = selector;
    }
    if let Some(job) = parsed("job", read.job)? {
        changed.job = job;
    }
    changed.runbook_base_url = read.runbook_base_url.unwrap_or(changed.runbook_base_url);
    changed.grafana_url = read.grafana_url.unwrap_or(changed.grafana_url);
    let known = definitions();
    for (name, settings) in read.alerts {
        let Some(alert) = known.iter().find(|alert| alert.name == name) else {
            let near = nearest(&name, known.iter().map(|alert| alert.name.as_ref()));
            let instead = near.map_or("docs/runbooks has a page for each".to_owned(), |near| {
                format!("write {near}")
            });
            return Err(Error(Kind::NoSuchAlert(name, instead)));
        };
        let chosen = changed.overrides.entry(name).or_default();
        settings.into_override(alert, chosen)?;
    }
    *options = changed;
    Ok(())
}

pub(super) fn set(options: &mut Options, assignment: &str) -> Result<(), Error> {
    let shape = || Error(Kind::Assignment(assignment.to_owned()));
    let (path, value) = assignment.split_once('=').ok_or_else(shape)?;
    // The value is YAML, so that lists and numbers can be written; a selector is text that YAML would take apart.
    let value = match path.rsplit('.').next() {
        Some("selector" | "runbook_url" | "runbook_base_url" | "grafana_url") => {
            Value::from(value).to_string()
        }
        _ => value.to_owned(),
    };
    match path.split_once('.') {
        Some((alert, key)) => {
            let (alert, key) = (Value::from(alert), Value::from(key));
            apply(options, &format!("alerts: {{{alert}: {{{key}: {value}}}}}"))
        }
        None => apply(options, &format!("{{{}: {value}}}", Value::from(path))),
    }
}

impl Settings {
    fn into_override(self, alert: &Definition, chosen: &mut Override) -> Result<(), Error> {
        let at = |key: &str| format!("alerts.{}.{key}", alert.name);
        let lacks = |key| Error(Kind::Lacks(alert.name.to_string(), key));
        if let Some(enabled) = self.enabled {
            chosen.disabled = Some(if enabled { Disabled::No } else { Disabled::Yes });
        }
        if let Some(hold) = self.hold {
            chosen.hold = Some(match is_zero(&hold) {
                true => hold,
                false => duration(&at("for"), hold)?,
            });
        }
        if let Some(severity) = parsed(&at("severity"), self.severity)? {
            chosen.severity = Some(severity);
        }
        if let Some(threshold) = self.threshold {
            alert.threshold.as_ref().ok_or_else(|| lacks("threshold"))?;
            chosen.threshold = Some(number(&at("threshold"), &threshold)?);
        }
        if let Some(window) = self.window {
            alert.window.ok_or_else(|| lacks("window"))?;
            chosen.window = Some(duration(&at("window"), window)?);
        }
        if let Some(grouping) = names(&at("grouping"), self.grouping)? {
            chosen.grouping = Some(grouping);
        }
        if let Some(selector) = parsed(&at("selector"), self.selector)? {
            chosen.selector = Some(selector);
        }
        chosen.runbook_url = self.runbook_url.or(chosen.runbook_url.take());
        Ok(())
    }
}

fn wrong(key: &str, what: impl ToString) -> Error {
    Error(Kind::Value(key.to_owned(), what.to_string()))
}

fn parsed<T: FromStr<Err: ToString>>(key: &str, text: Option<String>) -> Result<Option<T>, Error> {
    text.map(|text| text.parse().map_err(|error: T::Err| wrong(key, error)))
        .transpose()
}

fn names(key: &str, names: Option<Vec<String>>) -> Result<Option<Vec<LabelName>>, Error> {
    let all = |names: Vec<String>| names.iter().map(|name| name.parse()).collect();
    names
        .map(all)
        .transpose()
        .map_err(|error: Error| wrong(key, error))
}

fn duration(key: &str, text: String) -> Result<String, Error> {
    match promql_parser::util::parse_duration(&text) {
        Ok(_) => Ok(text),
        Err(_) => Err(wrong(
            key,
            format!("{text:?} is not a duration: write one such as 90s, 15m or 1h"),
        )),
    }
}

/// A hold of nothing, which fires at once. No other duration may be 0.
fn is_zero(text: &str) -> bool {
    let number = text.trim_end_matches(|c: char| c.is_ascii_lowercase());
    !number.is_empty()
        && number.bytes().all(|digit| digit == b'0')
        && ["", "ms", "s", "m", "h", "d", "w", "y"].contains(&&text[number.len()..])
}

fn number(key: &str, value: &Value) -> Result<String, Error> {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(text),
        _ => Err(wrong(key, format!("{text} is not a number"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_is_refused_with_its_place() {
        for (yaml, message) in [
            (
                "alerts: {KEKClusterNotRedy: {}}",
                r#"no alert is called "KEKClusterNotRedy": write KEKClusterNotReady"#,
            ),
            (
                "alerts: {Nothing: {}}",
                r#"no alert is called "Nothing": docs/runbooks has a page for each"#,
            ),
            (
                "alerts: {LicenseInvalid: {threshold: 1}}",
                "LicenseInvalid has no threshold to set",
            ),
            (
                "alerts: {CertAutoPilotDown: {window: 1h}}",
                "CertAutoPilotDown has no window to set",
            ),
            (
                "alerts: {LicenseInvalid: {for: 1 hour}}",
                r#"alerts.LicenseInvalid.for: "1 hour" is not a duration: write one such as 90s, 15m or 1h"#,
            ),
            (
                "alerts: {JobQueueBacklog: {threshold: many}}",
                "alerts.JobQueueBacklog.threshold: many is not a number",
            ),
            (
                "profile: all",
                r#"profile: unknown profile "all": use one of recommended, extended"#,
            ),
        ] {
            let refused = Options::default().apply(yaml).unwrap_err();
            assert_eq!(refused.to_string(), message);
        }
        assert!(
            Options::default()
                .apply("alerts: {LicenseInvalid: {fro: 1h}}")
                .is_err()
        );
        assert!(Options::default().apply("colour: red").is_err());
    }

    #[test]
    fn a_hold_may_be_nothing_and_a_window_may_not() {
        for (written, fires_at_once) in [
            ("0s", true),
            ("0", true),
            ("0m", true),
            ("1s", false),
            ("0 s", false),
            ("s", false),
            ("0x", false),
            ("-0s", false),
        ] {
            let mut options = Options::default();
            let taken = options.apply(&format!(
                "alerts: {{LicenseExpiringSoon: {{for: '{written}'}}}}"
            ));
            let at_once = taken.is_ok()
                && crate::alerts(&options).iter().any(|alert| {
                    alert.name == "LicenseExpiringSoon" && alert.for_duration.is_zero()
                });
            assert_eq!(at_once, fires_at_once, "{written}");
        }
        let refused = Options::default().apply("alerts: {LicenseExpiringSoon: {window: 0s}}");
        assert!(refused.is_err());
        // What is overridden need not be what fires at once already.
        let mut options = Options::default();
        options.set("KEKClusterNotReady.for=0s").unwrap();
        assert!(!crate::rules_file(&options).contains("for: 5m"));
    }

    #[test]
    fn single_assignments_are_the_same_choices() {
        let mut by_document = Options::default();
        by_document
            .apply("profile: extended\nselector: 'a=\"b\"'\nalerts: {JobQueueBacklog: {threshold: 5, for: 1m, enabled: false, grouping: [x, y]}}")
            .unwrap();
        let mut by_assignment = Options::default();
        for assignment in [
            "profile=extended",
            r#"selector=a="b""#,
            "JobQueueBacklog.threshold=5",
            "JobQueueBacklog.for=1m",
            "JobQueueBacklog.enabled=false",
            "JobQueueBacklog.grouping=[x, y]",
        ] {
            by_assignment.set(assignment).unwrap();
        }
        assert_eq!(by_assignment, by_document);
        assert!(by_assignment.set("nothing").is_err());
    }
}
