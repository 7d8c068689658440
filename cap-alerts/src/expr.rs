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
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn labels_are_followed_through_every_expression() {
        for (expr, expected) in [
            // Selectors.
            ("cap_license_valid", "job"),
            ("cap_discovery_findings_open", "job severity=critical|high|low|medium"),
            (r#"cap_discovery_findings_open{severity=~"h.+|l.+"}"#, "job severity=high|low"),
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
            (r#"cap_jobs_queue_depth{type=~"renew|deploy"}"#, "job type=deploy|renew"),
            (r#"cap_jobs_queue_depth{type!="renew"}"#, "job type"),
            (r#"up{job=""}"#, ""),
            (r#"cap_kek_process_current_version[5m] offset 1h"#, "host job"),
            // Functions.
            ("rate(cap_jobs_duration_seconds_bucket[5m])", "job le type"),
            ("histogram_quantile(0.9, rate(cap_jobs_duration_seconds_bucket[5m]))", "job type"),
            (r#"absent(cap_jobs_queue_depth{type="renew", job=~"cap.*"})"#, "type=renew"),
            (r#"absent_over_time(cap_jobs_queue_depth{type="renew"}[5m])"#, "type=renew"),
            (r#"label_replace(up, "zone", "$1", "instance", "(.*)")"#, "job zone?"),
            ("vector(time())", ""),
            ("hour()", ""),
            // Aggregations.
            ("sum(cap_jobs_queue_depth)", ""),
            ("sum by (type, severity) (cap_jobs_queue_depth)", "type"),
            ("sum without (type) (cap_jobs_queue_depth)", "job"),
            ("topk by (job) (1, cap_jobs_queue_depth)", "job type"),
            (r#"count_values by (job) ("depth", cap_jobs_queue_depth)"#, "depth job"),
            // Operators.
            ("cap_jobs_queue_depth > 1", "job type"),
            ("1 - cap_jobs_queue_depth", "job type"),
            ("-(cap_jobs_queue_depth)", "job type"),
            ("cap_jobs_queue_depth > on (type) cap_jobs_queue_depth", "type"),
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
            ("cap_jobs_queue_depth and on (job) cap_kek_process_current_version", "job type"),
            ("cap_jobs_queue_depth unless on (job) cap_kek_process_current_version", "job type"),
            ("cap_jobs_queue_depth or cap_kek_process_current_version", "host? job type?"),
            (
                r#"cap_discovery_findings_open{severity="low"} or cap_discovery_findings_open{severity="high"}"#,
                "job severity=high|low",
            ),
            ("max_over_time(sum by (type) (cap_jobs_queue_depth)[1h:5m])", "type"),
        ] {
            assert_eq!(labels(expr), expected, "{expr}");
        }
    }
}
