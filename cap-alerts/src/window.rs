//! Windows that a single event leaves before the alert fires.

use std::time::Duration;

use promql_parser::parser::token::{T_DIV, T_GTR, T_LAND, T_LOR, T_LUNLESS, T_MUL};
use promql_parser::parser::{BinaryExpr, Call, Expr};

use crate::duration;
use crate::finding::{Finding, Lint};
use crate::syntax::{bare, children, is_comparison};

/// Finds comparisons `> 0` of an increase whose window is not longer than the alert's `for`.
pub(crate) fn check(expr: &Expr, for_duration: Duration, findings: &mut Vec<Finding>) {
    let Expr::Binary(binary) = bare(expr) else {
        return;
    };
    match binary.op.id() {
        // The right side says when the alert is silent, not when it fires.
        T_LUNLESS => check(&binary.lhs, for_duration, findings),
        T_LOR => {
            check(&binary.lhs, for_duration, findings);
            check(&binary.rhs, for_duration, findings);
        }
        T_LAND => {
            for (side, other) in [(&binary.lhs, &binary.rhs), (&binary.rhs, &binary.lhs)] {
                if !is_rated(other) {
                    check(side, for_duration, findings);
                }
            }
        }
        _ => {
            if let Some((call, window)) =
                event(binary).filter(|(_, window)| *window <= for_duration)
            {
                let [window, duration] = [window, for_duration].map(duration::format);
                findings.push(Finding::new(
                    Lint::ShortWindow,
                    format!("`{call}` over {window} must stay above 0 for {duration}"),
                    "a single event leaves the window before the alert fires",
                    format!("look back longer than {duration}"),
                ));
            }
        }
    }
}

/// Whether the expression compares a rate, or a value computed from rates, with a bound that one
/// event does not reach. Such a condition holds only while events keep coming. A rate above 0
/// beside it therefore adds no wait: it only says that there was something to measure.
fn is_rated(expr: &Expr) -> bool {
    match bare(expr) {
        Expr::Binary(binary) if [T_LAND, T_LUNLESS].contains(&binary.op.id()) => {
            is_rated(&binary.lhs)
        }
        Expr::Binary(binary) if binary.op.id() == T_LOR => {
            is_rated(&binary.lhs) && is_rated(&binary.rhs)
        }
        Expr::Binary(binary) if is_comparison(binary.op.id()) => {
            event(binary).is_none() && (has_rate(&binary.lhs) || has_rate(&binary.rhs))
        }
        _ => false,
    }
}

fn has_rate(expr: &Expr) -> bool {
    let rate = matches!(expr, Expr::Call(call) if counted(call).is_some());
    rate || children(expr).into_iter().any(has_rate)
}

/// The function that counts events, and how far it looks back, if one event satisfies the
/// comparison.
fn event(binary: &BinaryExpr) -> Option<(&'static str, Duration)> {
    let zero = matches!(bare(&binary.rhs), Expr::NumberLiteral(number) if number.val == 0.0);
    if binary.op.id() == T_GTR && zero { risen(&binary.lhs) } else { None }
}

fn risen(expr: &Expr) -> Option<(&'static str, Duration)> {
    match bare(expr) {
        Expr::Call(call) if counts(call) => counted(call),
        Expr::Binary(binary) if ![T_DIV, T_MUL].contains(&binary.op.id()) => None,
        Expr::Binary(binary) => risen(&binary.lhs),
        other => children(other).into_iter().find_map(risen),
    }
}

fn counts(call: &Call) -> bool {
    ["rate", "irate", "increase", "delta", "idelta", "changes"].contains(&call.func.name)
}

fn counted(call: &Call) -> Option<(&'static str, Duration)> {
    match call.args.args.first().map(|argument| bare(argument))? {
        Expr::MatrixSelector(matrix) if counts(call) => Some((call.func.name, matrix.range)),
        _ => None,
    }
}
