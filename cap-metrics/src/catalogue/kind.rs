//! The types of metrics, and the suffixes that their samples add to the family's name.

use cap_names::closed_enum;

closed_enum! {
    /// The type in `# TYPE`.
    pub enum Kind: "metric kind" {
        /// Only goes up.
        Counter = "counter",
        /// Goes up and down.
        Gauge = "gauge",
        /// Counts observations by bucket.
        Histogram = "histogram",
    }
}

const HISTOGRAM: &[&str] = &["_bucket", "_sum", "_count"];

/// Every suffix that a sample can add to the name of its family, in text 0.0.4 or OpenMetrics 1.0.
///
/// Two families whose names differ only by such a suffix can have samples of the same name.
pub const SAMPLE_SUFFIXES: &[&str] = &["_total", "_bucket", "_sum", "_count", "_created", "_info"];

impl Kind {
    /// The suffixes that the series of a metric add to [`Metric::name`](crate::Metric::name): those
    /// of a histogram, and the empty one for other kinds.
    pub const fn series_suffixes(self) -> &'static [&'static str] {
        match self {
            Self::Counter | Self::Gauge => &[""],
            Self::Histogram => HISTOGRAM,
        }
    }
}

/// The suffixes of samples in a family of this OpenMetrics type; `None` for a type that text 0.0.4
/// cannot show.
#[cfg(feature = "prometheus-client")]
pub(crate) fn openmetrics_suffixes(kind: &str) -> Option<&'static [&'static str]> {
    Some(match kind {
        "counter" => &["_total"],
        "info" => &["_info"],
        "histogram" => HISTOGRAM,
        "summary" => &["", "_sum", "_count"],
        "gauge" | "unknown" | "stateset" => &[""],
        _ => return None,
    })
}
