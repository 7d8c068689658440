//! The rules of a histogram's samples: cumulative buckets up to `+Inf`, which is the count, and a
//! sum.

use super::sample::Sample;
use std::collections::BTreeMap;

#[derive(Debug, Default)]
struct Series {
    buckets: Vec<(f64, f64)>,
    sum: Option<f64>,
    count: Option<f64>,
}

/// Checks a whole family.
pub(super) fn check(name: &str, samples: &[Sample]) -> Result<(), String> {
    let mut by_labels: BTreeMap<BTreeMap<String, String>, Series> = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.clone();
        let le = labels.remove("le");
        let series = by_labels.entry(labels).or_default();
        match &sample.name[name.len()..] {
            "_bucket" => {
                let le = le.unwrap_or_default();
                let bound = le.parse().map_err(|_| format!("the bound le={le:?} of {name}"))?;
                series.buckets.push((bound, sample.value));
            }
            "_sum" => series.sum = Some(sample.value),
            _ => series.count = Some(sample.value),
        }
    }
    for (labels, series) in by_labels {
        adds_up(&series).map_err(|what| format!("{name}{labels:?}: {what}"))?;
    }
    Ok(())
}

fn adds_up(series: &Series) -> Result<(), &'static str> {
    let rising =
        (series.buckets.windows(2)).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 <= pair[1].1);
    if !rising {
        return Err("buckets that do not rise");
    }
    let last = series.buckets.last().ok_or("no buckets")?;
    if last.0 != f64::INFINITY {
        return Err("no bucket +Inf");
    }
    if series.count != Some(last.1) {
        return Err("a count that is not the bucket +Inf");
    }
    series.sum.map(|_| ()).ok_or("no sum")
}

#[cfg(test)]
mod tests {
    use super::super::parse;

    #[test]
    fn buckets_count_and_sum_have_to_add_up() {
        let tail = |x: &str| format!("h_sum{{x=\"{x}\"}} 1\nh_count{{x=\"{x}\"}} 2\n");
        let buckets = |x: &str, b: [(&str, u32); 3]| {
            b.map(|(le, n)| format!("h_bucket{{x=\"{x}\",le=\"{le}\"}} {n}\n")).concat()
        };
        let good = [("0.1", 1), ("1", 1), ("+Inf", 2)];
        let cases = [
            (buckets("a", good) + &tail("a"), None),
            (buckets("a", good) + &tail("a") + &buckets("b", good) + &tail("b"), None),
            (buckets("a", good), Some("a count that is not the bucket +Inf")),
            (buckets("a", good) + "h_count{x=\"a\"} 2\n", Some("no sum")),
            (tail("a"), Some("no buckets")),
            (
                buckets("a", [("0.1", 2), ("1", 1), ("+Inf", 2)]) + &tail("a"),
                Some("buckets that do not rise"),
            ),
            (
                buckets("a", [("1", 1), ("0.1", 1), ("+Inf", 2)]) + &tail("a"),
                Some("buckets that do not rise"),
            ),
            (buckets("a", [("0.1", 1), ("1", 1), ("2", 2)]) + &tail("a"), Some("no bucket +Inf")),
            (
                buckets("a", [("0.1", 1), ("1", 1), ("+Inf", 3)]) + &tail("a"),
                Some("a count that is not the bucket +Inf"),
            ),
        ];
        for (samples, expected) in cases {
            let result = parse(&format!("# HELP h H.\n# TYPE h histogram\n{samples}"));
            match expected {
                None => assert!(result.is_ok(), "{result:?}"),
                Some(what) => {
                    let error = result.expect_err(&samples);
                    assert!(error.what.ends_with(what), "{error} for\n{samples}");
                }
            }
        }
    }
}
