//! The labels that an aggregation leaves, and labels that it names although no series has them.

use promql_parser::parser::token::{T_BOTTOMK, T_COUNT_VALUES, T_LIMIT_RATIO, T_LIMITK, T_TOPK};
use promql_parser::parser::{AggregateExpr, Expr, LabelModifier};

use crate::finding::{Finding, Lint};
use crate::labels::{LabelState, Labels};

pub(super) fn aggregated(
    aggregate: &AggregateExpr,
    operand: Labels,
    findings: &mut Vec<Finding>,
) -> Labels {
    // These pick whole series. The grouping only says from which.
    if matches!(aggregate.op.id(), T_TOPK | T_BOTTOMK | T_LIMITK | T_LIMIT_RATIO) {
        return operand;
    }
    if let Some(LabelModifier::Include(named) | LabelModifier::Exclude(named)) = &aggregate.modifier
    {
        for label in named.labels.iter().filter(|label| is_never_there(label, &operand)) {
            findings.push(absent_label(&format!("`{}` groups by", aggregate.op), label, &operand));
        }
    }
    let grouped = match &aggregate.modifier {
        Some(LabelModifier::Include(by)) => operand.only(&by.labels),
        Some(LabelModifier::Exclude(without)) => operand.except(&without.labels),
        None => Labels::none(),
    };
    match (aggregate.op.id(), aggregate.param.as_deref()) {
        (T_COUNT_VALUES, Some(Expr::StringLiteral(label))) => {
            grouped.with(&label.val, LabelState::Present)
        }
        _ => grouped,
    }
}

/// Whether no series of the operand can carry the label. A scrape may have added a label that no
/// metric of the catalogue has and that is not spelled almost like a label of the operand.
fn is_never_there(label: &str, operand: &Labels) -> bool {
    let of_a_metric = || cap_metrics::METRICS.iter().any(|metric| metric.label(label).is_some());
    let there = || operand.names().filter(|name| operand.get(name).is_present());
    *operand.get(label) == LabelState::Absent
        && (of_a_metric() || cap_names::nearest(label, there()).is_some())
}

/// The finding for a label that a modifier names and no series has.
fn absent_label(message: &str, label: &str, operand: &Labels) -> Finding {
    let there = operand.names().filter(|name| operand.get(name).is_present());
    let there: Vec<&str> = there.collect();
    Finding::new(
        Lint::AbsentLabel,
        format!("{message} `{label}`"),
        "no series of the operand carries it",
        match cap_names::nearest(label, there.iter().copied()) {
            Some(near) => format!("write `{near}`"),
            None if there.is_empty() => "leave it out".to_owned(),
            None => format!("write some of {}", there.join(", ")),
        },
    )
}
