//! The shape of a parsed expression.

use promql_parser::parser::token::{T_EQLC, T_GTE, T_GTR, T_LSS, T_LTE, T_NEQ};
use promql_parser::parser::{AggregateExpr, Expr};

/// The expressions directly inside.
pub(crate) fn children(expr: &Expr) -> Vec<&Expr> {
    match expr {
        Expr::Paren(inner) => vec![&inner.expr],
        Expr::Unary(inner) => vec![&inner.expr],
        Expr::Subquery(inner) => vec![&inner.expr],
        Expr::Aggregate(AggregateExpr { expr, .. }) => vec![expr],
        Expr::Binary(binary) => vec![&binary.lhs, &binary.rhs],
        Expr::Call(call) => call.args.args.iter().map(|argument| &**argument).collect(),
        _ => Vec::new(),
    }
}

/// The expression without the parentheses around it.
pub(crate) fn bare(expr: &Expr) -> &Expr {
    match expr {
        Expr::Paren(inner) => bare(&inner.expr),
        expr => expr,
    }
}

/// Whether the operator compares.
pub(crate) fn is_comparison(id: u16) -> bool {
    [T_EQLC, T_NEQ, T_GTR, T_GTE, T_LSS, T_LTE].contains(&id)
}
