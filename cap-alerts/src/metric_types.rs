//! Functions that do not suit the type of a metric, such as the rate of a gauge.

use cap_metrics::{Kind, metric_of_series};
use promql_parser::parser::{Call, Expr, LabelModifier, VectorSelector};

use crate::finding::{Finding, Lint};
use crate::syntax::{bare, children, is_comparison};

/// Checks the expression and all expressions inside it.
pub(crate) fn check(expr: &Expr, findings: &mut Vec<Finding>) {
    match expr {
        Expr::Call(call) => check_call(call, findings),
        Expr::Binary(binary) if is_comparison(binary.op.id()) => {
            for (side, other) in [(&binary.lhs, &binary.rhs), (&binary.rhs, &binary.lhs)] {
                if let (Some(counter), Expr::NumberLiteral(_)) = (bare_counter(side), bare(other)) {
                    findings.push(Finding::new(
                        Lint::WrongType,
                        format!("the counter `{counter}` is compared with a number"),
                        "it counts since the process started and only a restart lowers it",
                        format!("compare `increase({counter}[…])`"),
                    ));
                }
            }
        }
        _ => {}
    }
    children(expr).into_iter().for_each(|child| check(child, findings));
}

fn check_call(call: &Call, findings: &mut Vec<Finding>) {
    let function = call.func.name;
    if function == "histogram_quantile" {
        check_quantile(call, findings);
    }
    let Some(Expr::MatrixSelector(matrix)) = call.args.args.first().map(|argument| bare(argument))
    else {
        return;
    };
    let (Some(name), Some(kind)) = (name(&matrix.vs), kind(&matrix.vs)) else {
        return;
    };
    match (function, kind) {
        ("rate" | "irate" | "increase" | "resets", Kind::Gauge) => findings.push(Finding::new(
            Lint::WrongType,
            format!("`{function}` of the gauge `{name}`"),
            "a rate counts every fall of the gauge as a restart, so the result means nothing",
            match function {
                "increase" => format!("write `delta({name}[…])`"),
                "resets" => format!("write `changes({name}[…])`"),
                _ => format!("write `deriv({name}[…])`"),
            },
        )),
        ("delta" | "idelta" | "deriv" | "predict_linear", Kind::Counter | Kind::Histogram) => {
            findings.push(Finding::new(
                Lint::WrongType,
                format!("`{function}` of the counter `{name}`"),
                "a restart of the process makes the result negative",
                match function {
                    "delta" => format!("write `increase({name}[…])`"),
                    _ => format!("write `rate({name}[…])`"),
                },
            ));
        }
        _ => {}
    }
}

fn check_quantile(call: &Call, findings: &mut Vec<Finding>) {
    let mut found = |message: String, reason: &str, suggestion: String| {
        findings.push(Finding::new(Lint::NotAHistogram, message, reason, suggestion));
    };
    if let Some(Expr::NumberLiteral(number)) = call.args.args.first().map(|argument| bare(argument))
        && !(0.0..=1.0).contains(&number.val)
    {
        let share = number.val / 100.0;
        found(
            format!("the quantile {}", number.val),
            "a quantile is a share from 0 to 1; outside, the result is infinite",
            format!("write {share}"),
        );
    }
    let Some(operand) = call.args.args.get(1) else {
        return;
    };
    let mut at = bare(operand);
    let mut rated = false;
    loop {
        match at {
            Expr::Aggregate(aggregate) => {
                let keeps = match &aggregate.modifier {
                    Some(LabelModifier::Include(by)) => by.labels.iter().any(|label| label == "le"),
                    Some(LabelModifier::Exclude(without)) => {
                        without.labels.iter().all(|label| label != "le")
                    }
                    None => false,
                };
                if !keeps {
                    found(
                        "the quantile's operand is aggregated without `le`".to_owned(),
                        "the buckets are gone, so the result is always empty",
                        format!("aggregate with `{} by (le, …)`", aggregate.op),
                    );
                    return;
                }
                at = bare(&aggregate.expr);
            }
            Expr::Call(inner) => {
                rated |= matches!(inner.func.name, "rate" | "irate" | "increase");
                let Some(argument) = inner.args.args.first() else {
                    return;
                };
                at = bare(argument);
            }
            Expr::MatrixSelector(matrix) => {
                return check_quantile_of(&matrix.vs, rated, &mut found);
            }
            Expr::VectorSelector(selector) => {
                return check_quantile_of(selector, rated, &mut found);
            }
            _ => return,
        }
    }
}

fn check_quantile_of(
    selector: &VectorSelector,
    rated: bool,
    found: &mut impl FnMut(String, &str, String),
) {
    let Some(name) = name(selector) else { return };
    // The type of a recorded series is not known.
    if name.contains(':') {
        return;
    }
    if !name.ends_with("_bucket") {
        let base = ["_sum", "_count"].iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        found(
            format!("a quantile of `{name}`"),
            "only the buckets of a histogram have quantiles",
            format!("write `{base}_bucket`"),
        );
    } else if !rated {
        found(
            format!("a quantile of `{name}` without `rate`"),
            "the buckets count since the process started, so the result hardly changes",
            format!("write `rate({name}[…])`"),
        );
    }
}

fn name(selector: &VectorSelector) -> Option<&str> {
    selector.name.as_deref()
}

/// The type of the series, by the catalogue.
fn kind(selector: &VectorSelector) -> Option<Kind> {
    metric_of_series(name(selector)?).map(|metric| metric.kind)
}

/// The counter whose value the expression is, as it is or aggregated.
fn bare_counter(expr: &Expr) -> Option<&str> {
    match bare(expr) {
        Expr::VectorSelector(selector)
            if matches!(kind(selector), Some(Kind::Counter | Kind::Histogram)) =>
        {
            name(selector)
        }
        Expr::Aggregate(aggregate)
            if ["sum", "max", "min", "avg"].contains(&aggregate.op.to_string().as_str()) =>
        {
            bare_counter(&aggregate.expr)
        }
        _ => None,
    }
}
