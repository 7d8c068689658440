//! Anyone's rule file, rule by rule: every expression, and what only the rule as a whole can get wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use promql_parser::parser::Expr;
use promql_parser::parser::token::{T_DIV, T_GTR, T_LAND, T_LOR, T_LUNLESS, T_MUL};
use serde::Deserialize;

use crate::check::{Fault, Finding, check};
use crate::expr::carried;
use crate::kinds::{bare, children};
use crate::labels::Held;

/// A finding, and the rule it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Located {
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
    hold: Option<String>,
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
pub fn check_file(yaml: &str) -> Vec<Located> {
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
            judged(rule).into_iter().map(move |finding| Located {
                rule: name.clone(),
                finding,
            })
        })
        .collect()
}

fn unreadable(why: &str) -> Located {
    Located {
        rule: String::new(),
        finding: Finding::new(
            Fault::Syntax,
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
    let hold = rule
        .hold
        .as_deref()
        .and_then(|hold| promql_parser::util::parse_duration(hold).ok());
    if let Some(hold) = hold.filter(|hold| !hold.is_zero()) {
        short_windows(&parsed, hold, &mut findings);
    }
    let labels = carried(&parsed, &mut Vec::new());
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
                    Fault::TemplateLabel,
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
    finding.fault == Fault::UnknownMetric
        && !finding.what.contains("`cap")
        && !finding.what.contains("\"cap")
}

/// Finds comparisons with 0 of an increase whose window is not longer than the hold.
fn short_windows(expr: &Expr, hold: Duration, findings: &mut Vec<Finding>) {
    match bare(expr) {
        // What is taken away says when the alert is silent, not when it fires.
        Expr::Binary(binary) if binary.op.id() == T_LUNLESS => {
            short_windows(&binary.lhs, hold, findings);
        }
        Expr::Binary(binary) if [T_LAND, T_LOR].contains(&binary.op.id()) => {
            short_windows(&binary.lhs, hold, findings);
            short_windows(&binary.rhs, hold, findings);
        }
        Expr::Binary(binary) if binary.op.id() == T_GTR => {
            let is_zero =
                matches!(bare(&binary.rhs), Expr::NumberLiteral(number) if number.val == 0.0);
            if let Some((call, window)) =
                risen(&binary.lhs).filter(|(_, window)| is_zero && *window <= hold)
            {
                let (window, hold) = (
                    crate::render::duration(window),
                    crate::render::duration(hold),
                );
                findings.push(Finding::new(
                    Fault::ShortWindow,
                    format!("`{call}` over {window} must stay above 0 for {hold}"),
                    "a single event leaves the window before the alert fires",
                    format!("look back longer than {hold}"),
                ));
            }
        }
        _ => {}
    }
}

/// The function that counts events, and how far it looks back.
fn risen(expr: &Expr) -> Option<(&'static str, Duration)> {
    match bare(expr) {
        Expr::Call(call)
            if ["rate", "irate", "increase", "delta", "idelta", "changes"]
                .contains(&call.func.name) =>
        {
            match call.args.args.first().map(|argument| bare(argument))? {
                Expr::MatrixSelector(matrix) => Some((call.func.name, matrix.range)),
                _ => None,
            }
        }
        Expr::Binary(binary) if ![T_DIV, T_MUL].contains(&binary.op.id()) => None,
        Expr::Binary(binary) => risen(&binary.lhs),
        other => children(other).into_iter().find_map(risen),
    }
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
