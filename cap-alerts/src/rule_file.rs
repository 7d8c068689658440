//! Anyone's rule file, rule by rule: every expression, and what only the rule as a whole can get wrong.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::check::check;
use crate::duration;
use crate::expr::labels_of;
use crate::finding::{Finding, Lint};
use crate::labels::Held;
use crate::window;

/// A finding, and the rule it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFinding {
    /// The alert's name or the recorded series; empty where the file itself is at fault.
    pub rule: String,
    /// What is wrong with it.
    pub finding: Finding,
}

/// The parts of a rule file, or of a `PrometheusRule`, that are judged. Whatever else stands in it is for Prometheus to check.
#[derive(Deserialize)]
struct Document {
    groups: Option<Vec<Group>>,
    spec: Option<Spec>,
}

#[derive(Deserialize)]
struct Spec {
    groups: Option<Vec<Group>>,
}

#[derive(Deserialize)]
struct Group {
    #[serde(default)]
    rules: Vec<Rule>,
}

#[derive(Deserialize)]
struct Rule {
    alert: Option<String>,
    record: Option<String>,
    #[serde(default)]
    expr: Expression,
    #[serde(rename = "for")]
    for_duration: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, serde_json::Value>,
    #[serde(default)]
    annotations: BTreeMap<String, serde_json::Value>,
}

/// YAML reads an expression such as `1` as a number.
#[derive(Deserialize)]
#[serde(untagged)]
enum Expression {
    Text(String),
    Number(f64),
}

impl Default for Expression {
    fn default() -> Self {
        Expression::Text(String::new())
    }
}

/// Checks a rule file, or a `PrometheusRule`, of YAML.
///
/// A metric whose name does not start like the catalogue's is another exporter's: nothing is said of it and its labels.
pub fn check_file(yaml: &str) -> Vec<RuleFinding> {
    let read: Result<Document, _> = serde_saphyr::from_str(yaml);
    let document = match read {
        Ok(document) => document,
        Err(error) => return vec![unreadable(&error.to_string())],
    };
    let groups = document
        .groups
        .or_else(|| document.spec.and_then(|spec| spec.groups));
    let Some(groups) = groups else {
        return vec![unreadable("there is no `groups`, and no `spec.groups`")];
    };
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules
        .flat_map(|rule| {
            let name = rule
                .alert
                .as_ref()
                .or(rule.record.as_ref())
                .cloned()
                .unwrap_or_default();
            judged(rule).into_iter().map(move |finding| RuleFinding {
                rule: name.clone(),
                finding,
            })
        })
        .collect()
}

fn unreadable(why: &str) -> RuleFinding {
    RuleFinding {
        rule: String::new(),
        finding: Finding::new(
            Lint::Syntax,
            "not a rule file",
            why,
            "write a rule file of Prometheus or a PrometheusRule",
        ),
    }
}

fn judged(rule: &Rule) -> Vec<Finding> {
    let text = match &rule.expr {
        Expression::Text(text) => text.clone(),
        Expression::Number(number) => number.to_string(),
    };
    let mut findings: Vec<Finding> = check(&text)
        .into_iter()
        .filter(|finding| !is_foreign(finding))
        .collect();
    let Ok(parsed) = promql_parser::parser::parse(&text) else {
        return findings;
    };
    if rule.alert.is_none() {
        return findings;
    }
    let for_duration = rule.for_duration.as_deref().and_then(duration::parse);
    if let Some(for_duration) = for_duration.filter(|duration| !duration.is_zero()) {
        window::check(&parsed, for_duration, &mut findings);
    }
    let labels = labels_of(&parsed, &mut Vec::new());
    let texts = rule.annotations.iter().chain(&rule.labels);
    for (field, text) in texts.filter_map(|(field, text)| Some((field, text.as_str()?))) {
        for label in templated(text) {
            let carried = labels
                .as_ref()
                .is_none_or(|labels| *labels.get(&label) != Held::Nothing);
            // A label of the rule is not there yet when its other labels are filled in, but is for annotations.
            let added = rule.labels.contains_key(&label) && rule.annotations.contains_key(field);
            if !carried && !added && !["alertname", "__name__"].contains(&label.as_str()) {
                findings.push(Finding::new(
                    Lint::TemplateLabel,
                    format!("`{field}` names the label `{label}`"),
                    "the expression's result does not carry it, so the text has a gap",
                    format!("keep `{label}` in the expression, or leave it out of the text"),
                ));
            }
        }
    }
    findings
}

/// Whether it says of another exporter's metric that the catalogue lacks it.
fn is_foreign(finding: &Finding) -> bool {
    finding.lint == Lint::UnknownMetric
        && !finding.message.contains("`cap")
        && !finding.message.contains("\"cap")
}

/// The labels that a template names: `$labels.x`, `.Labels.x`.
fn templated(text: &str) -> Vec<String> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut found: Vec<String> = ["$labels.", ".Labels."]
        .iter()
        .flat_map(|start| text.split(start).skip(1))
        .map(|rest| rest.chars().take_while(|c| word(*c)).collect())
        .filter(|label: &String| !label.is_empty())
        .collect();
    found.sort_unstable();
    found.dedup();
    found
}
