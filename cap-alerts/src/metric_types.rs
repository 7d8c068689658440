//! Functions on the wrong kind of metric: a rate of a gauge, a counter's bare value, a quantile of what is no histogram.

use cap_metrics::{Kind, METRICS, metric};
use promql_parser::parser::{Call, Expr, LabelModifier, VectorSelector};

use crate::finding::{Finding, Lint};
use crate::syntax::{bare, children, is_comparison};

/// Walks the whole expression, the selectors inside ranges included.
pub(crate) fn check(expr: &Expr, findings: &mut Vec<Finding>) {
    match expr {
        Expr::Call(call) => called(call, findings),
        Expr::Binary(binary) if is_comparison(binary.op.id()) => {
            for (side, other) in [(&binary.lhs, &binary.rhs), (&binary.rhs, &binary.lhs)] {
                if let (Some(counter), Expr::NumberLiteral(_)) = (bare_counter(side), bare(other)) {
                    findings.push(Finding::new(
                        Lint::WrongType,
                        format!("the counter `{counter}` is compared with a number"),
                        "it counts since the process started, so a restart changes the answer and nothing else ever lowers it",
                        format!("compare `increase({counter}[…])`"),
                    ));
                }
            }
        }
        _ => {}
    }
    children(expr)
        .into_iter()
        .for_each(|child| check(child, findings));
}

fn called(call: &Call, findings: &mut Vec<Finding>) {
    let function = call.func.name;
    if function == "histogram_quantile" {
        quantile(call, findings);
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
            "every fall of the gauge counts as a restart, so the result means nothing",
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
                "a restart of the process makes it negative",
                match function {
                    "delta" => format!("write `increase({name}[…])`"),
                    _ => format!("write `rate({name}[…])`"),
                },
            ));
        }
        _ => {}
    }
}

fn quantile(call: &Call, findings: &mut Vec<Finding>) {
    let mut found = |what: String, why: &str, instead: String| {
        findings.push(Finding::new(Lint::NotAHistogram, what, why, instead));
    };
    if let Some(Expr::NumberLiteral(number)) = call.args.args.first().map(|argument| bare(argument))
        && !(0.0..=1.0).contains(&number.val)
    {
        let share = number.val / 100.0;
        found(
            format!("the quantile {}", number.val),
            "a quantile is a share from 0 to 1, and anything else gives an infinite value",
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
            Expr::MatrixSelector(matrix) => return judged(&matrix.vs, rated, &mut found),
            Expr::VectorSelector(selector) => return judged(selector, rated, &mut found),
            _ => return,
        }
    }
}

fn judged(selector: &VectorSelector, rated: bool, found: &mut impl FnMut(String, &str, String)) {
    let Some(name) = name(selector) else { return };
    // A recording rule keeps what it was given.
    if name.contains(':') {
        return;
    }
    if !name.ends_with("_bucket") {
        let base = ["_sum", "_count"]
            .iter()
            .find_map(|end| name.strip_suffix(end))
            .unwrap_or(name);
        found(
            format!("a quantile of `{name}`"),
            "only the buckets of a histogram have quantiles",
            format!("write `{base}_bucket`"),
        );
    } else if !rated {
        found(
            format!("a quantile of `{name}` as it stands"),
            "the buckets count since the process started, so the result hardly moves",
            format!("write `rate({name}[…])`"),
        );
    }
}

fn name(selector: &VectorSelector) -> Option<&str> {
    selector.name.as_deref()
}

/// What the catalogue says of the series' kind.
fn kind(selector: &VectorSelector) -> Option<Kind> {
    let name = name(selector)?;
    if let Some(metric) = metric(name) {
        // No series has the bare name of a histogram; that is found elsewhere.
        return Some(metric.kind).filter(|kind| *kind != Kind::Histogram);
    }
    let of = |end: &&str| {
        METRICS
            .iter()
            .find(|metric| name.strip_suffix(*end) == Some(metric.name))
    };
    ["_bucket", "_sum", "_count"]
        .iter()
        .find_map(of)
        .map(|metric| metric.kind)
}

/// The counter that stands in the expression as it is, or summed.
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
