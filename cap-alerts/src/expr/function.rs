//! The labels that a function's result carries.

use promql_parser::label::MatchOp;
use promql_parser::parser::value::ValueType;
use promql_parser::parser::{Call, Expr};

use crate::labels::{LabelState, Labels};

pub(super) fn called(call: &Call, arguments: Vec<Option<Labels>>) -> Option<Labels> {
    if call.func.return_type != ValueType::Vector {
        return None;
    }
    if matches!(call.func.name, "absent" | "absent_over_time") {
        return call.args.args.first().map(|operand| absent(operand));
    }
    // `vector(1)` and `hour()` take no vector, and return one without labels.
    let operand = arguments.into_iter().flatten().next().unwrap_or_else(Labels::none);
    Some(match (call.func.name, call.args.args.get(1).map(|argument| &**argument)) {
        ("label_replace" | "label_join", Some(Expr::StringLiteral(label))) => {
            operand.with(&label.val, LabelState::Unknown)
        }
        ("histogram_quantiles", Some(Expr::StringLiteral(label))) => {
            operand.with("le", LabelState::Absent).with(&label.val, LabelState::Present)
        }
        ("histogram_quantile" | "histogram_fraction", _) => operand.with("le", LabelState::Absent),
        ("info", _) => Labels::unknown(),
        _ => operand,
    })
}

/// The labels of `absent`'s result: those that the selector fixes by `=`, and no others.
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
                && matchers.iter().filter(|other| other.name == matcher.name).count() == 1
        })
        .fold(Labels::none(), |labels, matcher| {
            labels.with(&matcher.name, LabelState::exactly(&matcher.value))
        })
}
