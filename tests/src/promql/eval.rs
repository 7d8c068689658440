//! Walks the syntax tree; every node that is not understood stops the walk.

use super::history::{History, window};
use super::{Error, Value, Vector, aggregate, binary, collect, range, without_names};
use promql_parser::label::METRIC_NAME;
use promql_parser::parser::{Call, Expr, MatrixSelector, Offset, VectorSelector};

/// How far an instant selector looks back for a sample.
const LOOKBACK_MILLIS: i64 = 5 * 60 * 1000;

pub(super) fn eval(history: &History, expr: &Expr, at: i64) -> Result<Value, Error> {
    match expr {
        Expr::NumberLiteral(number) => Ok(Value::Scalar(number.val)),
        Expr::Paren(paren) => eval(history, &paren.expr, at),
        Expr::Unary(unary) => match eval(history, &unary.expr, at)? {
            Value::Scalar(number) => Ok(Value::Scalar(-number)),
            Value::Vector(mut vector) => {
                vector.values_mut().for_each(|value| *value = -*value);
                without_names(vector).map(Value::Vector)
            }
        },
        Expr::VectorSelector(selector) => instant(history, selector, at).map(Value::Vector),
        Expr::Call(call) => over_time(history, call, at).map(Value::Vector),
        Expr::Aggregate(aggregation) => {
            let Value::Vector(vector) = eval(history, &aggregation.expr, at)? else {
                return Err(Error::Evaluation("an aggregation of a scalar".to_owned()));
            };
            aggregate::aggregate(aggregation, vector).map(Value::Vector)
        }
        Expr::Binary(expr) => {
            let lhs = eval(history, &expr.lhs, at)?;
            let rhs = eval(history, &expr.rhs, at)?;
            binary::binary(expr, lhs, rhs)
        }
        Expr::Subquery(_) => Err(Error::Unsupported(format!("the subquery {expr}"))),
        Expr::StringLiteral(_) => Err(Error::Unsupported(format!("the string {expr}"))),
        Expr::MatrixSelector(_) => Err(Error::Evaluation(format!("{expr} outside a function"))),
        Expr::Extension(_) => Err(Error::Unsupported("an extension".to_owned())),
    }
}

fn instant(history: &History, selector: &VectorSelector, at: i64) -> Result<Vector, Error> {
    let at = moved(selector, at)?;
    let looked_at = at - LOOKBACK_MILLIS..=at;
    let found = history
        .series()
        .filter(|(labels, _)| selects(selector, labels));
    Ok(found
        .filter_map(|(labels, points)| {
            // A stale marker as the last point: the series is not there.
            let last = window(points, &looked_at).last()?;
            Some((labels.clone(), last.value?))
        })
        .collect())
}

fn over_time(history: &History, call: &Call, at: i64) -> Result<Vector, Error> {
    let function = match call.func.name {
        "last_over_time" => range::last,
        "increase" => range::increase,
        "rate" => range::rate,
        other => return Err(Error::Unsupported(format!("the function {other}"))),
    };
    let Some(Expr::MatrixSelector(MatrixSelector { vs, range })) =
        call.args.args.first().map(AsRef::as_ref)
    else {
        return Err(Error::Unsupported(format!("{call}: no plain range")));
    };
    let end = moved(vs, at)?;
    let range_millis = i64::try_from(range.as_millis())
        .map_err(|_| Error::Evaluation(format!("the range {range:?}")))?;
    let looked_at = end - range_millis..=end;
    let mut vector = Vec::new();
    for (labels, points) in history.series().filter(|(labels, _)| selects(vs, labels)) {
        let points: Vec<_> = window(points, &looked_at)
            .filter_map(|point| Some((point.at, point.value?)))
            .collect();
        vector.extend(function(&points, &looked_at).map(|value| (labels.clone(), value)));
    }
    let vector = collect(vector)?;
    // The last sample of a series is still a sample of that series; an increase no longer is.
    match call.func.name {
        "last_over_time" => Ok(vector),
        _ => without_names(vector),
    }
}

fn selects(selector: &VectorSelector, labels: &super::Labels) -> bool {
    let label = |name: &str| labels.get(name).map_or("", String::as_str);
    let name = selector.name.as_deref();
    name.is_none_or(|name| label(METRIC_NAME) == name)
        && (selector.matchers.matchers.iter()).all(|matcher| matcher.is_match(label(&matcher.name)))
}

/// The instant that a selector with `offset` looks at.
fn moved(selector: &VectorSelector, at: i64) -> Result<i64, Error> {
    if selector.at.is_some() || !selector.matchers.or_matchers.is_empty() {
        return Err(Error::Unsupported(format!("the selector {selector}")));
    }
    let (sign, offset) = match selector.offset {
        None => return Ok(at),
        Some(Offset::Pos(offset)) => (-1, offset),
        Some(Offset::Neg(offset)) => (1, offset),
    };
    let offset = i64::try_from(offset.as_millis())
        .map_err(|_| Error::Evaluation(format!("the offset {offset:?}")))?;
    Ok(at + sign * offset)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scrape::{Scrape, exposition};

    fn history() -> History {
        let mut history = History::default();
        for (at, a) in [(960.0, 1), (980.0, 2), (1000.0, 4)] {
            let text = format!(
                "# HELP a A.\n# TYPE a counter\na{{x=\"1\",y=\"1\"}} {a}\na{{x=\"1\",y=\"2\"}} 10\na{{x=\"2\",y=\"1\"}} 20\n\
                 # HELP b B.\n# TYPE b gauge\nb{{x=\"1\"}} 5\nb{{x=\"3\"}} 7\n"
            );
            let families = exposition::parse(&text).expect("valid");
            history.scraped("j", "i", &Scrape { at, families });
        }
        history
    }

    /// Renders a value without the target's labels, which are the same everywhere here.
    fn render(value: Value) -> String {
        match value {
            Value::Scalar(number) => number.to_string(),
            Value::Vector(vector) => {
                let series: Vec<_> = vector
                    .into_iter()
                    .map(|(labels, value)| {
                        let labels: Vec<_> = (labels.iter())
                            .filter(|(name, _)| !matches!(name.as_str(), "job" | "instance"))
                            .map(|(name, value)| {
                                format!("{}={value}", name.replace(super::super::NAME, ""))
                            })
                            .collect();
                        format!("{{{}}} {value}", labels.join(","))
                    })
                    .collect();
                series.join("; ")
            }
        }
    }

    #[test]
    fn expressions_come_to_what_prometheus_says() {
        for (expr, expected) in [
            ("1 + 2 * 3 - -4 / 2 ^ 2 % 3", "8"),
            ("b", "{=b,x=1} 5; {=b,x=3} 7"),
            ("b{x!=\"1\"}", "{=b,x=3} 7"),
            ("b{x=~\"1|2\"}", "{=b,x=1} 5"),
            ("b{x=~\"[12\"}", "syntax"),
            ("b{z=\"\"}", "{=b,x=1} 5; {=b,x=3} 7"),
            ("{__name__=~\"b.*\", x=\"3\"}", "{=b,x=3} 7"),
            ("b * 2", "{x=1} 10; {x=3} 14"),
            ("1 - b", "{x=1} -4; {x=3} -6"),
            ("-b", "{x=1} -5; {x=3} -7"),
            ("b > 5", "{=b,x=3} 7"),
            ("6 > b", "{=b,x=1} 5"),
            ("b == 5 or b == 7", "{=b,x=1} 5; {=b,x=3} 7"),
            ("a{y=\"1\"} offset 20s", "{=a,x=1,y=1} 2; {=a,x=2,y=1} 20"),
            ("last_over_time(a{y=\"2\"}[30s] offset 1h)", ""),
            ("last_over_time(b[10m]) > 6", "{=b,x=3} 7"),
            ("sum(a)", "{} 34"),
            ("sum by (x) (a)", "{x=1} 14; {x=2} 20"),
            ("max by (x, gone) (a)", "{x=1} 10; {x=2} 20"),
            ("min without (y, job, instance) (a)", "{x=1} 4; {x=2} 20"),
            ("sum by (x) (nothing)", ""),
            ("a and on (x) b", "{=a,x=1,y=1} 4; {=a,x=1,y=2} 10"),
            ("a and ignoring (y) b", "{=a,x=1,y=1} 4; {=a,x=1,y=2} 10"),
            ("a and b", ""),
            ("a unless on (x) b", "{=a,x=2,y=1} 20"),
            ("b or on (x) a", "{=a,x=2,y=1} 20; {=b,x=1} 5; {=b,x=3} 7"),
            ("increase(a{x=\"1\",y=\"1\"}[40s])", "{x=1,y=1} 3"),
            ("rate(a{x=\"1\",y=\"1\"}[20s])", "{x=1,y=1} 0.1"),
            ("sum by (x) (increase(a[40s])) > 0", "{x=1} 3"),
        ] {
            let result = match history().query(expr, 1000.0) {
                Err(Error::Syntax(_)) => "syntax".to_owned(),
                result => render(result.unwrap_or_else(|error| panic!("{expr}: {error}"))),
            };
            assert_eq!(result, expected, "{expr}");
        }
    }

    #[test]
    fn what_is_not_understood_is_an_error_and_never_an_answer() {
        for expr in [
            "a / on (x) b",
            "b > bool 5",
            "1 == bool 1",
            "absent(a)",
            "time()",
            "count(a)",
            "topk(1, a)",
            "quantile(0.5, a)",
            "rate(a[5m:1m])",
            "a @ 5",
            "a[5m]",
            "\"text\"",
            "a atan2 1",
            "histogram_quantile(0.9, a)",
            "1 and 2",
            "{__name__=~\"a|b\", x=\"1\"} * 1 +",
        ] {
            let result = history().query(expr, 1000.0);
            assert!(result.is_err(), "{expr}: {result:?}");
        }
        // Arithmetic that would leave two series with the same labels.
        let mut history = history();
        let text = "# HELP b2 B.\n# TYPE b2 gauge\nb2{x=\"1\"} 5\n";
        let families = exposition::parse(text).expect("valid");
        history.scraped(
            "j",
            "i",
            &Scrape {
                at: 1001.0,
                families,
            },
        );
        let twice = history.query(
            "last_over_time({__name__=~\"b.*\", x=\"1\"}[1m]) * 1",
            1001.0,
        );
        assert!(matches!(twice, Err(Error::Evaluation(_))), "{twice:?}");
    }
}
