//! Options read from a YAML document, or from single assignments.

use std::collections::BTreeMap;
use std::str::FromStr;

use cap_names::nearest;
use serde::Deserialize;
use serde_json::Value;

use super::{LabelName, Options, Override};
use crate::alerts::definitions;
use crate::definition::Definition;
use crate::duration;
use crate::error::{Error, Kind};

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
    for_duration: Option<String>,
    severity: Option<String>,
    threshold: Option<Value>,
    window: Option<String>,
    grouping: Option<Vec<String>>,
    selector: Option<String>,
    runbook_url: Option<String>,
}

impl Options {
    /// Takes choices from YAML, on top of those made before. A document that is refused changes
    /// nothing.
    ///
    /// The keys are `profile`, `grouping`, `selector`, `job`, `runbook_base_url`, `grafana_url` and
    /// `alerts`. Below `alerts`, each alert's name has the keys `enabled`, `for`, `severity`,
    /// `threshold`, `window`, `grouping`, `selector` and `runbook_url`.
    ///
    /// # Errors
    ///
    /// The text is not such a document, names an unknown alert, or sets a key that the alert does
    /// not have.
    pub fn apply(&mut self, yaml: &str) -> Result<(), Error> {
        let read: Document = serde_saphyr::from_str(yaml)
            .map_err(|error| Error(Kind::Document(error.to_string())))?;
        let mut changed = self.clone();
        changed.profile = parsed("profile", read.profile)?.unwrap_or(changed.profile);
        changed.grouping = names("grouping", read.grouping)?.unwrap_or(changed.grouping);
        changed.selector = parsed("selector", read.selector)?.unwrap_or(changed.selector);
        changed.job = parsed("job", read.job)?.unwrap_or(changed.job);
        changed.runbook_base_url = read.runbook_base_url.unwrap_or(changed.runbook_base_url);
        changed.grafana_url = read.grafana_url.unwrap_or(changed.grafana_url);
        let known = definitions();
        for (name, settings) in read.alerts {
            let Some(alert) = known.iter().find(|alert| alert.name == name) else {
                let near = nearest(&name, known.iter().map(|alert| alert.name.as_str()));
                let suggestion = near
                    .map_or("docs/runbooks has a page for each".to_owned(), |near| {
                        format!("write {near}")
                    });
                return Err(Error(Kind::NoSuchAlert { name, suggestion }));
            };
            let chosen = changed.overrides.entry(name).or_default();
            settings.into_override(alert, chosen)?;
        }
        *self = changed;
        Ok(())
    }

    /// Sets one key, as in `KEKClusterNotReady.for=10m` or `profile=extended`.
    ///
    /// # Errors
    ///
    /// As for [`apply`](Self::apply).
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        let (path, value) = assignment
            .split_once('=')
            .ok_or_else(|| Error(Kind::Assignment(assignment.to_owned())))?;
        // The value is YAML, so that lists and numbers can be written. A selector or an address is
        // not: YAML would take it apart.
        let value = match path.rsplit('.').next() {
            Some("selector" | "runbook_url" | "runbook_base_url" | "grafana_url") => {
                Value::from(value).to_string()
            }
            _ => value.to_owned(),
        };
        match path.split_once('.') {
            Some((alert, key)) => {
                let (alert, key) = (Value::from(alert), Value::from(key));
                self.apply(&format!("alerts: {{{alert}: {{{key}: {value}}}}}"))
            }
            None => self.apply(&format!("{{{}: {value}}}", Value::from(path))),
        }
    }
}

impl Settings {
    fn into_override(self, alert: &Definition, chosen: &mut Override) -> Result<(), Error> {
        let at = |key: &str| format!("alerts.{}.{key}", alert.name);
        let no_such = |key| Error(Kind::NoSuchSetting { alert: alert.name.clone(), key });
        if let Some(enabled) = self.enabled {
            chosen.disabled = !enabled;
        }
        if let Some(text) = self.for_duration {
            let parsed = duration::parse(&text);
            chosen.for_duration = Some(parsed.ok_or_else(|| no_duration(&at("for"), &text))?);
        }
        chosen.severity = parsed(&at("severity"), self.severity)?.or(chosen.severity);
        if let Some(threshold) = self.threshold {
            alert.threshold.as_ref().ok_or_else(|| no_such("threshold"))?;
            chosen.threshold = Some(number(&at("threshold"), &threshold)?);
        }
        if let Some(window) = self.window {
            alert.window.as_ref().ok_or_else(|| no_such("window"))?;
            match duration::parse(&window) {
                Some(length) if !length.is_zero() => chosen.window = Some(window),
                _ => return Err(no_duration(&at("window"), &window)),
            }
        }
        chosen.grouping = names(&at("grouping"), self.grouping)?.or(chosen.grouping.take());
        chosen.selector = parsed(&at("selector"), self.selector)?.or(chosen.selector.take());
        chosen.runbook_url = self.runbook_url.or(chosen.runbook_url.take());
        Ok(())
    }
}

fn error_at(key: &str, problem: impl ToString) -> Error {
    Error(Kind::Value { key: key.to_owned(), problem: problem.to_string() })
}

fn no_duration(key: &str, text: &str) -> Error {
    error_at(key, format!("{text:?} is not a duration: write one such as 90s, 15m or 1h"))
}

fn parsed<T: FromStr<Err: ToString>>(key: &str, text: Option<String>) -> Result<Option<T>, Error> {
    text.map(|text| text.parse().map_err(|error: T::Err| error_at(key, error))).transpose()
}

fn names(key: &str, names: Option<Vec<String>>) -> Result<Option<Vec<LabelName>>, Error> {
    let all = |names: Vec<String>| names.iter().map(|name| name.parse()).collect();
    names.map(all).transpose().map_err(|error: Error| error_at(key, error))
}

fn number(key: &str, value: &Value) -> Result<String, Error> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok(text),
        _ => Err(error_at(key, format!("{text} is not a number: write one such as 5 or 0.25"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_invalid_choice_is_refused_with_its_place() {
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
                "LicenseInvalid has no threshold to set: remove this key",
            ),
            (
                "alerts: {CertAutoPilotDown: {window: 1h}}",
                "CertAutoPilotDown has no window to set: remove this key",
            ),
            (
                "alerts: {LicenseInvalid: {for: 1 hour}}",
                r#"alerts.LicenseInvalid.for: "1 hour" is not a duration: write one such as 90s, 15m or 1h"#,
            ),
            (
                "alerts: {JobQueueBacklog: {threshold: many}}",
                "alerts.JobQueueBacklog.threshold: many is not a number: write one such as 5 or 0.25",
            ),
            ("profile: all", r#"profile: unknown profile "all": use one of recommended, extended"#),
        ] {
            let refused = Options::default().apply(yaml).unwrap_err();
            assert_eq!(refused.to_string(), message);
        }
        assert!(Options::default().apply("alerts: {LicenseInvalid: {fro: 1h}}").is_err());
        assert!(Options::default().apply("color: red").is_err());
    }

    #[test]
    fn for_may_be_zero_and_a_window_may_not() {
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
            let taken =
                options.apply(&format!("alerts: {{LicenseExpiringSoon: {{for: '{written}'}}}}"));
            let at_once = taken.is_ok()
                && crate::alerts(&options).iter().any(|alert| {
                    alert.name == "LicenseExpiringSoon" && alert.for_duration.is_zero()
                });
            assert_eq!(at_once, fires_at_once, "{written}");
        }
        let refused = Options::default().apply("alerts: {LicenseExpiringSoon: {window: 0s}}");
        assert!(refused.is_err());
        // Also for an alert that does not fire at once by default.
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
