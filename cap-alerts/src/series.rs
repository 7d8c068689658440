//! The series of the catalogue: a histogram has three, every other metric has one.

use cap_metrics::{Kind, METRICS, Metric, metric};

/// What the names of a histogram's series end with.
const HISTOGRAM_SUFFIXES: [&str; 3] = ["_bucket", "_sum", "_count"];

/// The metric that the named series belongs to. No series has the bare name of a histogram.
pub(crate) fn metric_of(series: &str) -> Option<&'static Metric> {
    match metric(series) {
        Some(metric) if metric.kind != Kind::Histogram => Some(metric),
        _ => HISTOGRAM_SUFFIXES
            .iter()
            .find_map(|suffix| metric(series.strip_suffix(suffix)?))
            .filter(|metric| metric.kind == Kind::Histogram),
    }
}

/// The name of every series of the catalogue.
pub(crate) fn names() -> impl Iterator<Item = String> {
    METRICS.iter().flat_map(|metric| match metric.kind {
        Kind::Histogram => HISTOGRAM_SUFFIXES
            .map(|suffix| format!("{}{suffix}", metric.name))
            .to_vec(),
        _ => vec![metric.name.to_owned()],
    })
}
