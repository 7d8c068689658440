//! The same metrics with measured, in its fastest form: dense tables of exactly these series.

use std::sync::LazyLock;

use cap_metrics::HttpMethod as Ours;
use cap_names::ClosedEnum as _;
use measured::label::{LabelValue, LabelVisitor};
use measured::metric::histogram::Thresholds;
use measured::text::BufferedTextEncoder;
use measured::{CounterVec, FixedCardinalityLabel, HistogramVec, LabelGroup, MetricGroup};

use super::BUCKETS;
use super::peers::Encode;
use super::series::{self, PROVIDERS, STATUSES};

static PATHS: LazyLock<Vec<String>> = LazyLock::new(|| (0..20).map(series::path).collect());
static ENDPOINTS: LazyLock<Vec<String>> = LazyLock::new(|| (0..20).map(series::endpoint).collect());

macro_rules! closed {
    ($name:ident, $count:expr, |$n:ident, $visitor:ident| $visit:expr) => {
        #[derive(Clone, Copy, PartialEq, Debug)]
        pub(super) struct $name(pub(super) usize);

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

closed!(Method, 10, |n, visitor| visitor.write_str(Ours::ALL[n].as_str()));
closed!(Provider, 10, |n, visitor| visitor.write_str(PROVIDERS[n]));
closed!(Endpoint, 20, |n, visitor| visitor.write_str(&ENDPOINTS[n]));
closed!(Status, STATUSES, |n, visitor| visitor.write_int(200 + n as i64));

/// A family of as many counters as its labels have combinations.
macro_rules! requests {
    ($module:ident, $paths:literal paths, $codes:literal codes) => {
        mod $module {
            use super::*;

            closed!(Path, $paths, |n, visitor| visitor.write_str(&PATHS[n]));
            closed!(Code, $codes, |n, visitor| visitor.write_int(100 + n as i64));

            #[derive(Clone, Copy, PartialEq, Debug, LabelGroup)]
            #[label(set = LabelsSet)]
            struct Labels {
                method: Method,
                path: Path,
                status: Code,
            }

            #[derive(MetricGroup)]
            struct Requests {
                /// HTTP requests answered, by route pattern and status code
                cap_http_requests_total: CounterVec<LabelsSet>,
            }

            pub(super) fn counters() -> Encode {
                let requests = CounterVec::dense();
                for n in 0..10 * $paths * $codes {
                    requests.inc(Labels {
                        method: Method(n % 10),
                        path: Path(n / 5000),
                        status: Code(n / 10 % 500),
                    });
                }
                encode(Requests { cap_http_requests_total: requests })
            }
        }
    };
}

requests!(thousand, 1 paths, 100 codes);
requests!(ten_thousand, 2 paths, 500 codes);
requests!(hundred_thousand, 20 paths, 500 codes);

pub(super) fn counters(series: usize) -> Encode {
    match series {
        1_000 => thousand::counters(),
        10_000 => ten_thousand::counters(),
        100_000 => hundred_thousand::counters(),
        _ => unreachable!("its labels are made for the series that are compared"),
    }
}

#[derive(Clone, Copy, PartialEq, Debug, LabelGroup)]
#[label(set = CallsSet)]
struct Call {
    provider: Provider,
    endpoint: Endpoint,
    status: Status,
}

#[derive(MetricGroup)]
#[metric(new())]
struct Calls {
    /// Time of one call to an external system, status none when no response came
    #[metric(init = HistogramVec::dense_with_metadata(Thresholds::with_buckets(BUCKETS)))]
    cap_external_request_duration_seconds: HistogramVec<CallsSet, 11>,
}

pub(super) fn histograms(series: usize) -> Encode {
    let calls = Calls::new();
    let mut n = 0;
    series::calls(series, |_, _, _, took| {
        let labels = Call {
            provider: Provider(n % 10),
            endpoint: Endpoint(n / 500),
            status: Status(n / 10 % STATUSES),
        };
        n += 1;
        let family = &calls.cap_external_request_duration_seconds;
        family.observe(labels, took.as_secs_f64());
    });
    encode(calls)
}

fn encode(group: impl MetricGroup<BufferedTextEncoder> + 'static) -> Encode {
    let mut encoder = BufferedTextEncoder::new();
    Box::new(move |show| {
        group.collect_group_into(&mut encoder).expect("memory takes all");
        show(&encoder.finish());
    })
}

closed!(Route, 20, |n, visitor| visitor.write_str(&PATHS[n]));

#[derive(Clone, Copy, PartialEq, Debug, LabelGroup)]
#[label(set = TimedLabelsSet)]
struct TimedLabels {
    method: Method,
    path: Route,
}

/// For recording.
pub(super) struct Timed(HistogramVec<TimedLabelsSet, 11>);

impl Timed {
    pub(super) fn new() -> Self {
        Timed(HistogramVec::dense_with_metadata(Thresholds::with_buckets(BUCKETS)))
    }

    pub(super) fn observe(&self, method: usize, path: usize, seconds: f64) {
        let (method, path) = (Method(method), Route(path));
        self.0.observe(TimedLabels { method, path }, seconds);
    }
}
