//! Recording and exposition, against other metrics crates and against physical bounds.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cap_metrics::{HttpMethod, HttpStatus, Metrics};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};

use crate::harness::{Bench, Case};

pub(crate) use memory::{MEMORY, fill};

#[path = "metrics/encode.rs"]
mod encode;
#[path = "metrics/fast.rs"]
mod fast;
#[path = "metrics/many.rs"]
mod many;
#[path = "metrics/memory.rs"]
mod memory;
#[path = "metrics/peers.rs"]
mod peers;
#[path = "metrics/series.rs"]
mod series;
#[path = "metrics/under_scrape.rs"]
mod under_scrape;

const PATH: &str = "/projects/:projectId/certificates/:id";
const BUCKETS: [f64; 11] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    path: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Timed {
    method: &'static str,
    path: &'static str,
}

pub(crate) fn run(bench: &mut Bench) {
    counters(bench);
    histograms(bench);
    encode::run(bench);
    under_scrape::run(bench);
    memory::run(bench);
}

fn both(
    bench: &mut Bench,
    what: &str,
    peer: &str,
    floor: f64,
    ours: impl Fn(u64) + Sync,
    theirs: impl Fn(u64) + Sync,
) {
    let case = format!("{what}, 1 thread");
    bench.compare(&Case { case: &case, peer, floor }, &ours, &theirs);
    let case = format!("{what}, 2 threads");
    bench.compare_on_two_threads(&Case { case: &case, peer, floor }, &ours, &theirs);
}

fn repeat(count: u64, mut work: impl FnMut()) {
    for _ in 0..count {
        work();
    }
}

/// One counter for each thread, on a cache line of its own. No counter can be faster.
#[repr(align(128))]
struct Alone(AtomicU64);

fn uncontended(count: u64) {
    let alone = Alone(AtomicU64::new(0));
    let alone = black_box(&alone);
    repeat(count, || {
        alone.0.fetch_add(black_box(1), Ordering::Relaxed);
    });
}

fn counters(bench: &mut Bench) {
    let metrics = Metrics::new();
    let http = metrics.http();
    let (route, status) = (http.route(PATH), HttpStatus::new(200));
    let known = |count| {
        repeat(count, || {
            http.record_request(black_box(HttpMethod::Get), black_box(route), black_box(status));
        });
    };
    let borrowed = |count| {
        repeat(count, || {
            let route = http.route(black_box(PATH));
            http.record_request(black_box(HttpMethod::Get), route, black_box(status));
        });
    };
    let what = "counter{method,path,status}";
    both(bench, what, "fetch_add, uncontended", 1.0 / 1.5, known, uncontended);
    let shared = Alone(AtomicU64::new(0));
    both(bench, what, "fetch_add, shared", 1.0 / 1.5, known, |count| {
        repeat(count, || {
            shared.0.fetch_add(black_box(1), Ordering::Relaxed);
        });
    });

    let family = Family::<Labels, Counter>::default();
    let labels = Labels { method: "GET", path: PATH.to_owned(), status: 200 };
    let theirs = |count| {
        repeat(count, || {
            family.get_or_create(black_box(&labels)).inc();
        });
    };
    both(bench, what, "prometheus-client", 5.0, known, theirs);
    let what_borrowed = "counter, path as &str";
    both(bench, what_borrowed, "prometheus-client", 1.0, borrowed, theirs);

    let opts = prometheus::Opts::new("requests", "Requests");
    let vec = prometheus::IntCounterVec::new(opts, &["method", "path", "status"]).expect("valid");
    let theirs = |count| {
        repeat(count, || {
            vec.with_label_values(black_box(&["GET", PATH, "200"])).inc();
        });
    };
    both(bench, what, "prometheus", 1.0, known, theirs);
    both(bench, what_borrowed, "prometheus", 1.0, borrowed, theirs);

    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    let theirs = |count| {
        ::metrics::with_local_recorder(&recorder, || {
            repeat(count, || {
                ::metrics::counter!("r", "method" => "GET", "path" => black_box(PATH), "status" => "200")
                    .increment(1);
            });
        });
    };
    both(bench, what, "metrics", 1.0, known, theirs);
    both(bench, what_borrowed, "metrics", 1.0, borrowed, theirs);

    let family = fast::Family::<_, fastmetrics::metrics::counter::Counter>::default();
    let labels = fast::Labels { method: "GET", path: PATH, status: 200 };
    let theirs = |count| {
        repeat(count, || {
            family.with_or_new(black_box(&labels), fastmetrics::metrics::counter::Counter::inc);
        });
    };
    both(bench, what, "fastmetrics", 1.0, known, theirs);
    both(bench, what_borrowed, "fastmetrics", 1.0, borrowed, theirs);

    let dense = dense::Requests::new();
    let theirs = |count| {
        repeat(count, || {
            dense.inc(black_box(dense::LABELS));
        });
    };
    both(bench, what, "measured, dense", 1.0, known, theirs);
}

fn histograms(bench: &mut Bench) {
    let metrics = Metrics::new();
    let took = Duration::from_millis(30);
    let http = metrics.http();
    let route = http.route(PATH);
    let ours = |count| {
        repeat(count, || {
            http.record_duration(black_box(HttpMethod::Get), black_box(route), black_box(took));
        });
    };
    let what = "histogram{method,path}";
    both(bench, what, "fetch_add, uncontended", 1.0 / 3.0, ours, uncontended);

    let family = Family::<Timed, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
    let labels = Timed { method: "GET", path: PATH };
    both(bench, what, "prometheus-client", 1.0, ours, |count| {
        repeat(count, || {
            family.get_or_create(black_box(&labels)).observe(black_box(0.03));
        });
    });
    let opts = prometheus::HistogramOpts::new("h", "H").buckets(BUCKETS.to_vec());
    let vec = prometheus::HistogramVec::new(opts, &["method", "path"]).expect("valid");
    both(bench, what, "prometheus", 1.0, ours, |count| {
        repeat(count, || {
            vec.with_label_values(black_box(&["GET", PATH])).observe(black_box(0.03));
        });
    });

    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new()
        .set_buckets(&BUCKETS)
        .expect("buckets")
        .build_recorder();
    both(bench, what, "metrics", 1.0, ours, |count| {
        ::metrics::with_local_recorder(&recorder, || {
            repeat(count, || {
                ::metrics::histogram!("h", "method" => "GET", "path" => black_box(PATH))
                    .record(black_box(0.03));
            });
        });
    });
    let family = fast::histogram();
    let labels = fast::Timed { method: "GET", path: PATH };
    both(bench, what, "fastmetrics", 1.0, ours, |count| {
        repeat(count, || {
            family.with_or_new(black_box(&labels), |one| one.observe(black_box(0.03)));
        });
    });
    let dense = many::Timed::new();
    both(bench, what, "measured, dense", 1.0, ours, |count| {
        repeat(count, || {
            dense.observe(black_box(0), black_box(0), black_box(0.03));
        });
    });
}

mod dense {
    use measured::{CounterVec, FixedCardinalityLabel, LabelGroup};

    #[derive(Clone, Copy, PartialEq, Debug, FixedCardinalityLabel)]
    pub(super) enum Method {
        Get,
        Post,
    }

    #[derive(Clone, Copy, PartialEq, Debug, FixedCardinalityLabel)]
    pub(super) enum Path {
        Certificate,
        Project,
    }

    #[derive(Clone, Copy, PartialEq, Debug, FixedCardinalityLabel)]
    pub(super) enum Status {
        Ok = 200,
        NotFound = 404,
    }

    #[derive(Clone, Copy, PartialEq, Debug, LabelGroup)]
    #[label(set = LabelsSet)]
    pub(super) struct Labels {
        method: Method,
        path: Path,
        status: Status,
    }

    pub(super) const LABELS: Labels =
        Labels { method: Method::Get, path: Path::Certificate, status: Status::Ok };

    pub(super) type Requests = CounterVec<LabelsSet>;
}
