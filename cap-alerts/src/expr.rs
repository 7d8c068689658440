//! The labels that the result of an expression carries, followed from its selectors upwards.

use promql_parser::label::MatchOp;
use promql_parser::parser::token::{
    T_BOTTOMK, T_COUNT_VALUES, T_LIMIT_RATIO, T_LIMITK, T_LOR, T_TOPK,
};
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{AggregateExpr, BinaryExpr, Call, Expr, LabelModifier};

use crate::check::{Fault, Finding};
use crate::labels::{Held, Labels};
use crate::matching::Sides;
use crate::selector::selected;

/// Checks an expression and tells the labels of its result; `None` for a number or a string.
pub(crate) fn carried(expr: &Expr, findings: &mut Vec<Finding>) -> Option<Labels> {
    match expr {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => None,
        Expr::Paren(inner) => carried(&inner.expr, findings),
        Expr::Unary(inner) => carried(&inner.expr, findings),
        Expr::Subquery(inner) => carried(&inner.expr, findings),
        Expr::VectorSelector(selector) => Some(selected(selector, findings)),
        Expr::MatrixSelector(matrix) => Some(selected(&matrix.vs, findings)),
        Expr::Aggregate(aggregate) => aggregated(aggregate, findings),
        Expr::Call(call) => called(call, findings),
        Expr::Binary(binary) => combined(binary, findings),
        // The parser makes none of these itself.
        Expr::Extension(_) => Some(Labels::unknown()),
    }
}

fn aggregated(aggregate: &AggregateExpr, findings: &mut Vec<Finding>) -> Option<Labels> {
    if let Some(param) = &aggregate.param {
        carried(param, findings);
    }
    let operand = carried(&aggregate.expr, findings)?;
    // These pick whole series; the grouping only says from where.
    if matches!(
        aggregate.op.id(),
        T_TOPK | T_BOTTOMK | T_LIMITK | T_LIMIT_RATIO
    ) {
        return Some(operand);
    }
    if let Some(LabelModifier::Include(named) | LabelModifier::Exclude(named)) = &aggregate.modifier
    {
        for label in named
            .labels
            .iter()
            .filter(|label| is_never_there(label, &operand))
        {
            findings.push(absent_label(
                &format!("`{}` groups by", aggregate.op),
                label,
                &operand,
            ));
        }
    }
    let grouped = match &aggregate.modifier {
        Some(LabelModifier::Include(by)) => operand.only(&by.labels),
        Some(LabelModifier::Exclude(without)) => operand.except(&without.labels),
        None => Labels::none(),
    };
    match (aggregate.op.id(), aggregate.param.as_deref()) {
        (T_COUNT_VALUES, Some(Expr::StringLiteral(label))) => {
            Some(grouped.with(&label.val, Held::Something))
        }
        _ => Some(grouped),
    }
}

/// Whether no series of the operand can carry the label. A label that no metric of the catalogue has, and that is not spelt like one
/// of the operand's, may have been added by the scrape.
fn is_never_there(label: &str, operand: &Labels) -> bool {
    let of_a_metric = || {
        cap_metrics::METRICS
            .iter()
            .any(|metric| metric.label(label).is_some())
    };
    let there = || {
        operand
            .names()
            .filter(|name| operand.get(name).is_present())
    };
    *operand.get(label) == Held::Nothing
        && (of_a_metric() || cap_names::nearest(label, there()).is_some())
}

/// A label that a modifier names and no series has.
fn absent_label(what: &str, label: &str, operand: &Labels) -> Finding {
    let there = operand
        .names()
        .filter(|name| operand.get(name).is_present());
    let there: Vec<&str> = there.collect();
    Finding::new(
        Fault::AbsentLabel,
        format!("{what} `{label}`"),
        "no series of the operand carries it",
        match cap_names::nearest(label, there.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None if there.is_empty() => "leave it out".to_owned(),
            None => format!("write some of {}", there.join(", ")),
        },
    )
}

fn called(call: &Call, findings: &mut Vec<Finding>) -> Option<Labels> {
    let arguments: Vec<Option<Labels>> = call
        .args
        .args
        .iter()
        .map(|argument| carried(argument, findings))
        .collect();
    if call.func.return_type != ValueType::Vector {
        return None;
    }
    if matches!(call.func.name, "absent" | "absent_over_time") {
        return call.args.args.first().map(|operand| absent(operand));
    }
    // `vector(1)` and a bare `hour()` take no vector, and give one without labels.
    let operand = arguments
        .into_iter()
        .flatten()
        .next()
        .unwrap_or_else(Labels::none);
    Some(
        match (
            call.func.name,
            call.args.args.get(1).map(|argument| &**argument),
        ) {
            ("label_replace" | "label_join", Some(Expr::StringLiteral(label))) => {
                operand.with(&label.val, Held::Anything)
            }
            ("histogram_quantiles", Some(Expr::StringLiteral(label))) => operand
                .with("le", Held::Nothing)
                .with(&label.val, Held::Something),
            ("histogram_quantile" | "histogram_fraction", _) => operand.with("le", Held::Nothing),
            ("info", _) => Labels::unknown(),
            _ => operand,
        },
    )
}

/// What `absent` answers: the labels that the selector fixes by `=`, and no others.
fn absent(operand: &Expr) -> Labels {
    let selector = match operand {
        Expr::Paren(inner) => return absent(&inner.expr),
        Expr::VectorSelector(selector) => selector,
        Expr::MatrixSelector(matrix) => &matrix.vs,
        _ => return Labels::none(),
    };
    let matchers = &selector.matchers.matchers;
    matchers
        .iter()
        .filter(|matcher| {
            matcher.op == MatchOp::Equal
                && matchers
                    .iter()
                    .filter(|other| other.name == matcher.name)
                    .count()
                    == 1
        })
        .fold(Labels::none(), |labels, matcher| {
            labels.with(&matcher.name, Held::exactly(&matcher.value))
        })
}

fn combined(binary: &BinaryExpr, findings: &mut Vec<Finding>) -> Option<Labels> {
    let left = carried(&binary.lhs, findings);
    let right = carried(&binary.rhs, findings);
    let sides = match (left, right) {
        (Some(left), Some(right)) => Sides {
            operator: binary,
            left,
            right,
        },
        (one, other) => return one.or(other),
    };
    // `or` between sides that never match is a plain union, and right as such. Only a constant is surely meant as a
    // fallback for what is missing on the left.
    if binary.op.id() != T_LOR || is_constant(&binary.rhs) {
        let never = sides.never_match();
        let unmatched = sides.unmatched().filter(|_| never.is_none());
        findings.extend(never.or(unmatched));
    }
    Some(sides.result())
}

fn is_constant(expr: &Expr) -> bool {
    match expr {
        Expr::Paren(inner) => is_constant(&inner.expr),
        Expr::Call(call) => call.func.name == "vector",
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The labels of a result that are known, other than the target's own: `type` where there is a value, `type?` where there
    /// may be one, and the values where only some are possible.
    fn labels(expr: &str) -> String {
        let parsed = promql_parser::parser::parse(expr).unwrap();
        let labels = carried(&parsed, &mut Vec::new()).unwrap();
        let target = [
            "cluster",
            "instance",
            "namespace",
            "pod",
            "container",
            "endpoint",
            "node",
            "service",
        ];
        let shown = labels
            .names()
            .filter(|name| !target.contains(name))
            .filter_map(|name| match labels.get(name) {
                Held::Nothing => None,
                Held::Something => Some(name.to_owned()),
                Held::Anything => Some(format!("{name}?")),
                Held::OneOf(values) => {
                    let values: Vec<&str> = values.iter().map(String::as_str).collect();
                    Some(format!("{name}={}", values.join("|")))
                }
            });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn labels_are_followed_through_every_kind_of_expression() {
        for (expr, expected) in [
            // Selectors.
            ("cap_license_valid", "job"),
            (
                "cap_discovery_findings_open",
                "job severity=critical|high|low|medium",
            ),
            (
                r#"cap_discovery_findings_open{severity=~"h.+|l.+"}"#,
                "job severity=high|low",
            ),
            (
                r#"cap_discovery_findings_open{severity!="low"}"#,
                "job severity=critical|high|medium",
            ),
            (
                r#"cap_discovery_findings_open{severity="low", severity="high"}"#,
                "job severity=high",
            ),
            (
                r#"cap_discovery_findings_open{severity="low", severity=~"high"}"#,
                "job severity=low",
            ),
            (
                r#"cap_jobs_queue_depth{type=~"renew|deploy"}"#,
                "job type=deploy|renew",
            ),
            (r#"cap_jobs_queue_depth{type!="renew"}"#, "job type"),
            (r#"up{job=""}"#, ""),
            (
                r#"cap_kek_process_current_version[5m] offset 1h"#,
                "host job",
            ),
            // Functions.
            ("rate(cap_jobs_duration_seconds_bucket[5m])", "job le type"),
            (
                "histogram_quantile(0.9, rate(cap_jobs_duration_seconds_bucket[5m]))",
                "job type",
            ),
            (
                r#"absent(cap_jobs_queue_depth{type="renew", job=~"cap.*"})"#,
                "type=renew",
            ),
            (
                r#"absent_over_time(cap_jobs_queue_depth{type="renew"}[5m])"#,
                "type=renew",
            ),
            (
                r#"label_replace(up, "zone", "$1", "instance", "(.*)")"#,
                "job zone?",
            ),
            ("vector(time())", ""),
            ("hour()", ""),
            // Aggregations.
            ("sum(cap_jobs_queue_depth)", ""),
            ("sum by (type, severity) (cap_jobs_queue_depth)", "type"),
            ("sum without (type) (cap_jobs_queue_depth)", "job"),
            ("topk by (job) (1, cap_jobs_queue_depth)", "job type"),
            (
                r#"count_values by (job) ("depth", cap_jobs_queue_depth)"#,
                "depth job",
            ),
            // Operators.
            ("cap_jobs_queue_depth > 1", "job type"),
            ("1 - cap_jobs_queue_depth", "job type"),
            ("-(cap_jobs_queue_depth)", "job type"),
            (
                "cap_jobs_queue_depth > on (type) cap_jobs_queue_depth",
                "type",
            ),
            (
                "cap_jobs_queue_depth / ignoring (type) sum without (type) (cap_jobs_queue_depth)",
                "job",
            ),
            (
                "cap_jobs_queue_depth * on (job) group_left (host) cap_kek_process_current_version",
                "host job type",
            ),
            (
                "cap_kek_process_current_version * on (job) group_right (host) cap_jobs_queue_depth",
                "host job type",
            ),
            (
                "cap_jobs_queue_depth and on (job) cap_kek_process_current_version",
                "job type",
            ),
            (
                "cap_jobs_queue_depth unless on (job) cap_kek_process_current_version",
                "job type",
            ),
            (
                "cap_jobs_queue_depth or cap_kek_process_current_version",
                "host? job type?",
            ),
            (
                r#"cap_discovery_findings_open{severity="low"} or cap_discovery_findings_open{severity="high"}"#,
                "job severity=high|low",
            ),
            (
                "max_over_time(sum by (type) (cap_jobs_queue_depth)[1h:5m])",
                "type",
            ),
        ] {
            assert_eq!(labels(expr), expected, "{expr}");
        }
    }
}
