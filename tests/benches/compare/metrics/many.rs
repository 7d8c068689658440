//! The same metrics with measured, its label sets known in advance as it likes them best.

use std::sync::LazyLock;

use bytes::Bytes;
use cap_metrics::Method as Ours;
use cap_names::Closed as _;
use measured::label::{LabelValue, LabelVisitor};
use measured::metric::histogram::Thresholds;
use measured::text::BufferedTextEncoder;
use measured::{CounterVec, FixedCardinalityLabel, HistogramVec, LabelGroup, MetricGroup};

static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let path = |n| format!("/projects/:projectId/certificates/:id/{n}");
    (0..20).map(path).collect()
});

macro_rules! closed {
    ($name:ident, $count:expr, |$n:ident, $visitor:ident| $visit:expr) => {
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub(super) struct $name(usize);

        impl LabelValue for $name {
            fn visit<V: LabelVisitor>(&self, $visitor: V) -> V::Output {
                let $n = self.0;
                $visit
            }
        }

        impl FixedCardinalityLabel for $name {
            fn cardinality() -> usize {
                $count
            }
            fn encode(&self) -> usize {
                self.0
            }
            fn decode(value: usize) -> Self {
                Self(value)
            }
        }
    };
}

closed!(Method, 10, |n, visitor| visitor
    .write_str(Ours::ALL[n].as_str()));
closed!(Path, 20, |n, visitor| visitor.write_str(&PATHS[n]));
closed!(Code, 500, |n, visitor| visitor.write_int(100 + n as i64));

#[derive(Clone, Copy, PartialEq, Debug, LabelGroup)]
#[label(set = LabelsSet)]
struct Labels {
    method: Method,
    path: Path,
    status: Code,
}

#[derive(Clone, Copy, PartialEq, Debug, LabelGroup)]
#[label(set = TimedLabelsSet)]
struct TimedLabels {
    method: Method,
    path: Path,
}

#[derive(MetricGroup)]
pub(super) struct Requests {
    /// HTTP requests answered
    cap_http_requests_total: CounterVec<LabelsSet>,
}

impl Requests {
    /// So many counters, each at 1. A dense table is for the most there can be; fewer would leave it mostly empty.
    pub(super) fn new(series: usize) -> Self {
        let requests = if series == 100_000 {
            CounterVec::dense()
        } else {
            CounterVec::sparse()
        };
        for n in 0..series {
            requests.inc(Labels {
                method: Method(n % 10),
                path: Path(n / 5000),
                status: Code(n / 10 % 500),
            });
        }
        Requests {
            cap_http_requests_total: requests,
        }
    }

    pub(super) fn encode(&self, encoder: &mut BufferedTextEncoder) -> Bytes {
        self.collect_group_into(encoder).expect("memory takes all");
        encoder.finish()
    }
}

pub(super) struct Timed(HistogramVec<TimedLabelsSet, 11>);

impl Timed {
    pub(super) fn new() -> Self {
        Timed(HistogramVec::dense_with_metadata(Thresholds::with_buckets(
            super::BUCKETS,
        )))
    }

    pub(super) fn observe(&self, method: usize, path: usize, seconds: f64) {
        let (method, path) = (Method(method), Path(path));
        self.0.observe(TimedLabels { method, path }, seconds);
    }
}
