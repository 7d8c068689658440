//! The evaluator against the real one: promtool has to find every value we computed to be exactly its own.

use super::history::History;
use super::{Labels, NAME, Value};
use crate::require;
use serde_json::json;
use std::process::Command;

/// Every 30 s.
const STEP: i64 = 30;
const STEPS: i64 = 60;

/// What the alerts are made of, over counters `c`, gauges `g` and `h`.
const EXPRESSIONS: [&str; 30] = [
    "c",
    "g",
    "g{x=~\"1|3\", r!~\"b.*\"}",
    "c offset 7m",
    "{__name__=~\"[gh]\", x=\"1\"}",
    "last_over_time(g[10m])",
    "last_over_time(c[1m])",
    "last_over_time({__name__=~\"[gh]\"}[2m] offset 3m)",
    "increase(c[30s])",
    "increase(c[5m])",
    "increase(c[30m])",
    "rate(c[1m])",
    "rate(c[15m])",
    "rate(c[5m] offset 90s) * 300",
    "sum by (x) (increase(c[10m])) > 0",
    "sum by (x) (rate(c[10m])) > 0.01",
    "max by (r, gone) (last_over_time(g[10m])) > 20",
    "min without (r) (h)",
    "max without (x, r) (g)",
    "sum by (r) (max by (r, x) (last_over_time(g{x=\"2\"}[10m]))) > 0 and on (r) max by (r) (last_over_time(h[10m])) > 0",
    "g and ignoring (x) h{x=\"1\"}",
    "g unless on (x, r) h",
    "g > 25 or h > 25",
    "g or on (r) h",
    "-g",
    "100 - g % 7 ^ 2",
    "(g + 1) / 2 < 20",
    "30 <= g",
    "c or (c unless last_over_time(c[20m] offset 10m))",
    "2 * -3 + 10 / 4",
];

#[test]
fn promtool_finds_the_same_values() {
    let promtool = require!("promtool");
    let version = Command::new(&promtool).arg("--version").output();
    let version = String::from_utf8(version.expect("promtool runs").stdout).expect("text");
    if !version.contains("version 2.") {
        // Windows of Prometheus 3 leave out the sample at their start.
        println!("skipped: this promtool is no Prometheus 2: {version}");
        return;
    }
    let mut random = 1_u64;
    let mut below = move |limit: u64| {
        random = random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (random >> 33) % limit
    };
    let mut history = History::default();
    let mut input_series = Vec::new();
    for name in ["c", "g", "h"] {
        for (x, replica) in [("1", "a"), ("1", "b"), ("2", "a"), ("2", "b"), ("3", "a")] {
            let labels: Labels = [(NAME, name), ("r", replica), ("x", x)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
            let mut values = Vec::new();
            let mut counter = below(3);
            let mut gap = below(10);
            for step in 0..STEPS {
                counter = match below(15) {
                    0 => 0,
                    1..5 => counter + below(50),
                    _ => counter,
                };
                let value = if name == "c" { counter } else { below(50) };
                // Missing for a while, or stale, every now and then.
                gap = match gap {
                    0 if below(12) == 0 => below(14),
                    gap => gap.saturating_sub(1),
                };
                let point = match (gap, below(4)) {
                    (0, _) => Some(Some(value as f64)),
                    (_, 0) => Some(None),
                    _ => None,
                };
                values.push(match point {
                    Some(Some(value)) => value.to_string(),
                    Some(None) => "stale".to_owned(),
                    None => "_".to_owned(),
                });
                if let Some(value) = point {
                    history.push(labels.clone(), step * STEP * 1000, value);
                }
            }
            input_series.push(json!({ "series": render(&labels), "values": values.join(" ") }));
        }
    }
    let mut checks = Vec::new();
    let mut samples = 0;
    for expr in EXPRESSIONS {
        for at in (0..STEPS * STEP + 400).step_by(43) {
            let value = history.query(expr, at as f64);
            let value = value.unwrap_or_else(|error| panic!("{expr}: {error}"));
            let vector = match value {
                Value::Scalar(number) => [(Labels::new(), number)].into(),
                Value::Vector(vector) => vector,
            };
            samples += vector.len();
            let expected: Vec<_> = (vector.iter())
                .map(|(labels, value)| json!({ "labels": render(labels), "value": value }))
                .collect();
            checks.push(
                json!({ "expr": expr, "eval_time": format!("{at}s"), "exp_samples": expected }),
            );
        }
    }
    // The series are such that the expressions have something to say.
    assert!(samples > 4000, "{samples}");

    let dir = tempfile::tempdir().expect("a folder");
    let test = json!({
        "evaluation_interval": "30s",
        "tests": [{ "interval": "30s", "input_series": input_series, "promql_expr_test": checks }],
    });
    std::fs::write(dir.path().join("test.yml"), test.to_string()).expect("written");
    let run = Command::new(promtool)
        .args(["test", "rules", "test.yml"])
        .current_dir(dir.path())
        .output()
        .expect("promtool runs");
    let complaints = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success(), "{complaints:.5000}");
}

fn render(labels: &Labels) -> String {
    let pairs: Vec<_> = (labels.iter())
        .filter(|(name, _)| *name != NAME)
        .map(|(name, value)| format!("{name}={value:?}"))
        .collect();
    let name = labels.get(NAME).map_or("", String::as_str);
    format!("{name}{{{}}}", pairs.join(","))
}
