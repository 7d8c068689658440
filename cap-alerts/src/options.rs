//! A deployment's choices about its alerts.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::definition::{Profile, Severity};
use crate::error::{Error, Kind};

mod document;

/// The choices of a deployment.
///
/// ```
/// # fn main() -> Result<(), cap_alerts::Error> {
/// let mut options = cap_alerts::Options::default();
/// options.grouping = vec!["region".parse()?, "job".parse()?];
/// options.apply("alerts: {KEKClusterNotReady: {for: 10m}}")?;
/// let rules = cap_alerts::rules_file(&options);
/// assert!(rules.contains("by (region, job)") && rules.contains("for: 10m"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// Which alerts there are. Default: the four recommended ones.
    pub profile: Profile,
    /// The labels that identify an installation: there is one alert for each combination of their
    /// values, whatever the number of replicas. A label that no series carries does no harm.
    /// Default: `cluster`, `namespace`, `job`.
    pub grouping: Vec<LabelName>,
    /// Which series the alerts read. Default: all.
    pub selector: Selector,
    /// The label `job` of the product's targets, for alerts on missing targets. Default:
    /// `certautopilot`.
    pub job: Job,
    /// Where the runbook pages are, as `BASE/ALERT.md`. Default: their folder in this repository.
    pub runbook_base_url: String,
    /// Where Grafana is. Default: empty, so that `dashboard_url` is a path.
    pub grafana_url: String,
    overrides: BTreeMap<String, Override>,
}

/// The choices for one alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Override {
    pub(crate) disabled: bool,
    pub(crate) for_duration: Option<Duration>,
    pub(crate) severity: Option<Severity>,
    pub(crate) threshold: Option<String>,
    pub(crate) window: Option<String>,
    pub(crate) grouping: Option<Vec<LabelName>>,
    pub(crate) selector: Option<Selector>,
    pub(crate) runbook_url: Option<String>,
}

impl Options {
    /// The choices for the alert, which are none by default.
    pub(crate) fn chosen(&self, alert: &str) -> Override {
        self.overrides.get(alert).cloned().unwrap_or_default()
    }

    pub(crate) fn grouping_of(&self, chosen: Option<&Override>) -> Vec<String> {
        let grouping = chosen.and_then(|chosen| chosen.grouping.as_ref()).unwrap_or(&self.grouping);
        grouping.iter().map(LabelName::to_string).collect()
    }

    pub(crate) fn selector_of(&self, chosen: Option<&Override>) -> String {
        let selector = chosen.and_then(|chosen| chosen.selector.as_ref()).unwrap_or(&self.selector);
        selector.0.clone()
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            profile: Profile::Recommended,
            grouping: ["cluster", "namespace", "job"]
                .map(|name| LabelName(name.to_owned()))
                .to_vec(),
            selector: Selector::default(),
            job: Job("certautopilot".to_owned()),
            runbook_base_url: "docs/runbooks".to_owned(),
            grafana_url: String::new(),
            overrides: BTreeMap::new(),
        }
    }
}

/// The name of a label, by the grammar of Prometheus's data model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(String);

impl LabelName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabelName {
    type Err = Error;

    /// # Errors
    ///
    /// The text is not `[a-zA-Z_][a-zA-Z0-9_]*`, or starts with two underscores, which Prometheus
    /// reserves.
    fn from_str(name: &str) -> Result<Self, Error> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = |c: char| !c.is_ascii_digit();
        if name.starts_with(starts) && name.chars().all(word) && !name.starts_with("__") {
            Ok(Self(name.to_owned()))
        } else {
            Err(Error(Kind::LabelName(name.to_owned())))
        }
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Matchers that narrow every selector, as between braces: `namespace="pki", cluster=~"prod-.*"`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(String);

impl FromStr for Selector {
    type Err = Error;

    /// # Errors
    ///
    /// The text is not a list of matchers.
    fn from_str(text: &str) -> Result<Self, Error> {
        let text = text.trim();
        let parsed = promql_parser::parser::parse(&format!("x{{{text}}}"));
        match parsed {
            Ok(promql_parser::parser::Expr::VectorSelector(_)) if !text.contains('#') => {
                Ok(Self(text.to_owned()))
            }
            _ => Err(Error(Kind::Selector(text.to_owned()))),
        }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A value of the label `job` that needs no escaping in a quoted string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job(String);

impl Job {
    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Job {
    type Err = Error;

    /// # Errors
    ///
    /// The text is empty, or contains a quote, a backslash, `$` or a control character.
    fn from_str(text: &str) -> Result<Self, Error> {
        let bad = |c: char| c.is_control() || matches!(c, '"' | '\\' | '$');
        if text.is_empty() || text.contains(bad) {
            return Err(Error(Kind::Job(text.to_owned())));
        }
        Ok(Self(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prometheus_label_names_are_accepted() {
        for name in ["cluster", "_zone", "k8s_cluster"] {
            assert_eq!(name.parse::<LabelName>().unwrap().as_str(), name);
        }
        for name in ["", "1st", "a-b", "job) or vector(1", "straße", "__name__", "a b"] {
            assert!(name.parse::<LabelName>().is_err(), "{name}");
        }
    }

    #[test]
    fn a_selector_cannot_leave_its_braces() {
        for selector in ["", r#"a="b""#, r#"a="}", c!~"d.*""#] {
            assert!(selector.parse::<Selector>().is_ok(), "{selector}");
        }
        for selector in [r#"a="b"} or x{c="d""#, "a", r#"a="b"} #"#, r#"a="b"} > 1 or x{"#] {
            assert!(selector.parse::<Selector>().is_err(), "{selector}");
        }
    }
}
