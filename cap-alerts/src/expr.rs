//! The labels that the result of an expression carries, from its selectors upwards.

use promql_parser::parser::token::T_LOR;
use promql_parser::parser::{BinaryExpr, Expr};

use crate::finding::Finding;
use crate::labels::Labels;
use crate::matching::Sides;
use crate::selector::selected;

mod aggregation;
mod function;

use aggregation::aggregated;
use function::called;

/// Checks an expression and returns the labels of its result; `None` for a number or a string.
///
/// The walk is post-order: operands first, then what an operator makes of their labels.
pub(crate) fn labels_of(expr: &Expr, findings: &mut Vec<Finding>) -> Option<Labels> {
    match expr {
        Expr::NumberLiteral(_) | Expr::StringLiteral(_) => None,
        Expr::Paren(inner) => labels_of(&inner.expr, findings),
        Expr::Unary(inner) => labels_of(&inner.expr, findings),
        Expr::Subquery(inner) => labels_of(&inner.expr, findings),
        Expr::VectorSelector(selector) => Some(selected(selector, findings)),
        Expr::MatrixSelector(matrix) => Some(selected(&matrix.vs, findings)),
        Expr::Aggregate(aggregate) => {
            if let Some(param) = &aggregate.param {
                labels_of(param, findings);
            }
            let operand = labels_of(&aggregate.expr, findings)?;
            Some(aggregated(aggregate, operand, findings))
        }
        Expr::Call(call) => {
            let arguments = call.args.args.iter();
            let arguments = arguments.map(|argument| labels_of(argument, findings)).collect();
            called(call, arguments)
        }
        Expr::Binary(binary) => {
            let left = labels_of(&binary.lhs, findings);
            let right = labels_of(&binary.rhs, findings);
            match (left, right) {
                (Some(left), Some(right)) => Some(combined(binary, left, right, findings)),
                (one, other) => one.or(other),
            }
        }
        // The parser makes no extension.
        Expr::Extension(_) => Some(Labels::unknown()),
    }
}

fn combined(
    operator: &BinaryExpr,
    left: Labels,
    right: Labels,
    findings: &mut Vec<Finding>,
) -> Labels {
    let sides = Sides { operator, left, right };
    // `or` between sides that never match is a plain union, and legitimate. Only a constant is
    // certainly meant as a fallback for series that are missing on the left.
    if operator.op.id() != T_LOR || is_constant(&operator.rhs) {
        let never = sides.never_match();
        let unmatched = sides.unmatched().filter(|_| never.is_none());
        findings.extend(never.or(unmatched));
    }
    sides.result()
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
    use crate::labels::LabelState;

    /// The known labels of a result, without those of the target: `type` where the label is
    /// present, `type?` where it may be, `type=a|b` where only some values are possible.
    fn labels(expr: &str) -> String {
        let parsed = promql_parser::parser::parse(expr).unwrap();
        let labels = labels_of(&parsed, &mut Vec::new()).unwrap();
        let target =
            ["cluster", "instance", "namespace", "pod", "container", "endpoint", "node", "service"];
        let shown = labels.names().filter(|name| !target.contains(name)).filter_map(|name| {
            match labels.get(name) {
                LabelState::Absent => None,
                LabelState::Present => Some(name.to_owned()),
                LabelState::Unknown => Some(format!("{name}?")),
                LabelState::OneOf(values) => {
                    let values: Vec<&str> = values.iter().map(String::as_str).collect();
                    Some(format!("{name}={}", values.join("|")))
                }
            }
        });
        match shown.collect::<Vec<_>>().join(" ") {
            none if none.is_empty() => "none".to_owned(),
            shown => shown,
        }
    }

    #[test]
    fn labels_are_followed_through_every_expression() {
        for line in include_str!("expr/labels.txt").lines() {
            let (expr, expected) = line.rsplit_once(" | ").expect("EXPRESSION | LABELS");
            assert_eq!(labels(expr), expected, "{expr}");
        }
    }
}
