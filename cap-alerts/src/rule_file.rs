//! Checks a rule file: every expression, and what only a whole rule shows.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::check::check;
use crate::duration;
use crate::expr::labels_of;
use crate::finding::{Finding, Lint};
use crate::labels::LabelState;
use crate::window;

/// A finding in one rule of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RuleFinding {
    /// The alert's name or the recorded series. Empty if the finding is about the file itself.
    pub rule: String,
    /// What is wrong with the rule.
    pub finding: Finding,
}

/// The parts of a rule file, or of a `PrometheusRule`, that are checked. Prometheus checks the
/// others.
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
        Self::Text(String::new())
    }
}

/// Checks a rule file, or a `PrometheusRule`, as YAML.
///
/// A metric whose name does not start with `cap` belongs to another exporter. The check reports
/// nothing about such a metric and its labels.
pub fn check_file(yaml: &str) -> Vec<RuleFinding> {
    let read: Result<Document, _> = serde_saphyr::from_str(yaml);
    let document = match read {
        Ok(document) => document,
        Err(error) => return vec![unreadable(&error.to_string())],
    };
    let groups = document.groups.or_else(|| document.spec.and_then(|spec| spec.groups));
    let Some(groups) = groups else {
        return vec![unreadable("it has neither `groups` nor `spec.groups`")];
    };
    let rules = groups.iter().flat_map(|group| &group.rules);
    rules
        .flat_map(|rule| {
            let name = rule.alert.as_ref().or(rule.record.as_ref()).cloned().unwrap_or_default();
            checked(rule)
                .into_iter()
                .map(move |finding| RuleFinding { rule: name.clone(), finding })
        })
        .collect()
}

fn unreadable(reason: &str) -> RuleFinding {
    RuleFinding {
        rule: String::new(),
        finding: Finding::new(
            Lint::Syntax,
            "not a rule file",
            reason,
            "write a rule file of Prometheus or a PrometheusRule",
        ),
    }
}

fn checked(rule: &Rule) -> Vec<Finding> {
    let text = match &rule.expr {
        Expression::Text(text) => text.clone(),
        Expression::Number(number) => number.to_string(),
    };
    let mut findings: Vec<Finding> =
        check(&text).into_iter().filter(|finding| !is_foreign(finding)).collect();
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
            let carried =
                labels.as_ref().is_none_or(|labels| *labels.get(&label) != LabelState::Absent);
            // Annotations see the labels of the rule. The rule's other labels do not.
            let added = rule.labels.contains_key(&label) && rule.annotations.contains_key(field);
            if !carried && !added && !["alertname", "__name__"].contains(&label.as_str()) {
                findings.push(Finding::new(
                    Lint::TemplateLabel,
                    format!("`{field}` names the label `{label}`"),
                    "the result of the expression does not carry it, so the text has a gap",
                    format!("keep `{label}` in the expression, or remove it from the text"),
                ));
            }
        }
    }
    findings
}

/// Whether the finding is that the catalogue does not declare another exporter's metric.
fn is_foreign(finding: &Finding) -> bool {
    finding.lint == Lint::UnknownMetric
        && !finding.message.contains("`cap")
        && !finding.message.contains("\"cap")
}

/// The labels that a template names, as `$labels.x` or `.Labels.x`.
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
