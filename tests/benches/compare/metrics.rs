//! Recording and exposition, against the metrics crates there are and against what the machine can do.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cap_metrics::{Format, Method, Metrics, Status};
use cap_names::Closed as _;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use prometheus_client::registry::Registry;

use crate::harness::{Bench, Case};

#[path = "metrics/fast.rs"]
mod fast;
#[path = "metrics/many.rs"]
mod many;

const PATH: &str = "/projects/:projectId/certificates/:id";
const BUCKETS: [f64; 11] = [
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];

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
    for series in [1_000, 10_000, 100_000] {
        encode_counters(bench, series);
    }
    encode_moving_counters(bench);
    recorders_during_scrapes(bench);
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
    bench.compare(
        &Case {
            case: &case,
            peer,
            floor,
        },
        &ours,
        &theirs,
    );
    let case = format!("{what}, 2 threads");
    bench.compare_on_two_threads(
        &Case {
            case: &case,
            peer,
            floor,
        },
        &ours,
        &theirs,
    );
}

fn repeat(count: u64, mut work: impl FnMut()) {
    for _ in 0..count {
        work();
    }
}

/// A counter on a cache line that nobody else touches, one for each thread: what a counter cannot be quicker than.
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
    let (route, status) = (http.route(PATH), Status::new(200));
    let known = |count| {
        repeat(count, || {
            http.count(black_box(Method::Get), black_box(route), black_box(status));
        });
    };
    let borrowed = |count| {
        repeat(count, || {
            let route = http.route(black_box(PATH));
            http.count(black_box(Method::Get), route, black_box(status));
        });
    };
    let what = "counter{method,path,status}";
    both(
        bench,
        what,
        "fetch_add, uncontended",
        1.0 / 1.5,
        known,
        uncontended,
    );
    let shared = Alone(AtomicU64::new(0));
    both(
        bench,
        what,
        "fetch_add, shared",
        1.0 / 1.5,
        known,
        |count| {
            repeat(count, || {
                shared.0.fetch_add(black_box(1), Ordering::Relaxed);
            });
        },
    );

    let family = Family::<Labels, Counter>::default();
    let labels = Labels {
        method: "GET",
        path: PATH.to_owned(),
        status: 200,
    };
    let theirs = |count| {
        repeat(count, || {
            family.get_or_create(black_box(&labels)).inc();
        });
    };
    both(bench, what, "prometheus-client", 5.0, known, theirs);
    let what_borrowed = "counter, path as &str";
    both(
        bench,
        what_borrowed,
        "prometheus-client",
        1.0,
        borrowed,
        theirs,
    );

    let opts = prometheus::Opts::new("requests", "Requests");
    let vec = prometheus::IntCounterVec::new(opts, &["method", "path", "status"]).expect("valid");
    let theirs = |count| {
        repeat(count, || {
            vec.with_label_values(black_box(&["GET", PATH, "200"]))
                .inc();
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

    let family = <fast::Family>::default();
    let labels = fast::labels(0);
    let theirs = |count| {
        repeat(count, || {
            family.with_or_new(
                black_box(&labels),
                fastmetrics::metrics::counter::Counter::inc,
            );
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
            http.observe(black_box(Method::Get), black_box(route), black_box(took));
        });
    };
    let what = "histogram{method,path}";
    both(
        bench,
        what,
        "fetch_add, uncontended",
        1.0 / 3.0,
        ours,
        uncontended,
    );

    let family = Family::<Timed, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
    let labels = Timed {
        method: "GET",
        path: PATH,
    };
    both(bench, what, "prometheus-client", 1.0, ours, |count| {
        repeat(count, || {
            family
                .get_or_create(black_box(&labels))
                .observe(black_box(0.03));
        });
    });
    let opts = prometheus::HistogramOpts::new("h", "H").buckets(BUCKETS.to_vec());
    let vec = prometheus::HistogramVec::new(opts, &["method", "path"]).expect("valid");
    both(bench, what, "prometheus", 1.0, ours, |count| {
        repeat(count, || {
            vec.with_label_values(black_box(&["GET", PATH]))
                .observe(black_box(0.03));
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
    let family = fast::histograms();
    let labels = fast::timed("GET", PATH);
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

/// Every series of so many, by its labels.
fn each(series: usize, mut record: impl FnMut(Method, &str, u16)) {
    for n in 0..series {
        let method = Method::ALL[n % Method::ALL.len()];
        let path = format!("/projects/:projectId/certificates/:id/{}", n / 5000);
        record(method, &path, 100 + (n / 10 % 500) as u16);
    }
}

fn encode_counters(bench: &mut Bench, series: usize) {
    let metrics = Metrics::with_family_limit(2 * series);
    let family = Family::<Labels, Counter>::default();
    let opts = prometheus::Opts::new("cap_http_requests_total", "HTTP requests answered");
    let vec = prometheus::IntCounterVec::new(opts, &["method", "path", "status"]).expect("valid");
    let recorder = metrics_exporter_prometheus::PrometheusBuilder::new().build_recorder();
    each(series, |method, path, status| {
        let http = metrics.http();
        http.count(method, http.route(path), Status::new(status));
        let (method, path) = (method.as_str(), path.to_owned());
        vec.with_label_values(&[method, &path, &status.to_string()])
            .inc();
        ::metrics::with_local_recorder(&recorder, || {
            ::metrics::counter!("cap_http_requests_total", "method" => method, "path" => path.clone(), "status" => status.to_string())
                .increment(1);
        });
        family
            .get_or_create(&Labels {
                method,
                path,
                status,
            })
            .inc();
    });
    let (mut registry, theirs) = (Registry::default(), prometheus::Registry::new());
    registry.register("cap_http_requests", "HTTP requests answered", family);
    theirs.register(Box::new(vec)).expect("alone");
    let (fast, measured) = (fast::requests(series), many::Requests::new(series));

    let case = format!("encode {series} counter series");
    let case = |peer, floor| Case {
        case: &case,
        peer,
        floor,
    };
    let mut out = Vec::new();
    let mut ours = |count| {
        repeat(count, || {
            out.clear();
            metrics.encode(Format::OpenMetrics, black_box(&mut out));
        });
    };
    let mut text = String::new();
    bench.compare(&case("prometheus-client", 3.0), &mut ours, |count| {
        repeat(count, || {
            text.clear();
            prometheus_client::encoding::text::encode(black_box(&mut text), &registry)
                .expect("a String takes all");
        });
    });
    let mut bytes = Vec::new();
    bench.compare(&case("prometheus", 3.0), &mut ours, |count| {
        repeat(count, || {
            bytes.clear();
            let encoder = prometheus::TextEncoder::new();
            prometheus::Encoder::encode(&encoder, &theirs.gather(), black_box(&mut bytes))
                .expect("a Vec takes all");
        });
    });
    let handle = recorder.handle();
    bench.compare(&case("metrics", 3.0), &mut ours, |count| {
        repeat(count, || {
            black_box(handle.render());
        });
    });
    bench.compare(&case("fastmetrics", 3.0), &mut ours, |count| {
        repeat(count, || fast::encode(&fast, black_box(&mut text)));
    });
    let mut encoder = measured::text::BufferedTextEncoder::new();
    bench.compare(&case("measured", 3.0), &mut ours, |count| {
        repeat(count, || {
            black_box(measured.encode(&mut encoder));
        });
    });
    let mut body = Vec::new();
    metrics.encode(Format::OpenMetrics, &mut body);
    let mut copy = Vec::with_capacity(body.len());
    let floor = if series == 100_000 { 0.5 } else { 0.0 };
    bench.compare(&case("memcpy", floor), &mut ours, |count| {
        repeat(count, || {
            copy.clear();
            copy.extend_from_slice(black_box(&body));
            black_box(&copy);
        });
    });
}

/// What a scrape meets: every counter has moved since the last one.
fn encode_moving_counters(bench: &mut Bench) {
    const SERIES: usize = 100_000;
    let metrics = Metrics::with_family_limit(2 * SERIES);
    let http = metrics.http();
    let move_all = || {
        each(SERIES, |method, path, status| {
            http.count(method, http.route(path), Status::new(status));
        });
    };
    let (mut out, mut copy) = (Vec::new(), Vec::new());
    let mut times = Vec::new();
    for round in 0..31 {
        move_all();
        out.clear();
        let start = Instant::now();
        metrics.encode(Format::OpenMetrics, black_box(&mut out));
        let ours = start.elapsed();
        // The counters are moved here as well, so that both sides find the caches as recording leaves them.
        move_all();
        copy.clear();
        let start = Instant::now();
        copy.extend_from_slice(black_box(&out));
        black_box(&copy);
        // In the first round memory is new to both.
        if round > 0 {
            times.push((ours.as_nanos() as f64, start.elapsed().as_nanos() as f64));
        }
    }
    let case = Case {
        case: "encode 100000 counter series, all moved",
        peer: "memcpy",
        floor: 0.5,
    };
    bench.measured(&case, &times);
}

/// The share of its time that a recorder keeps while another thread scrapes without a pause, against the share it keeps beside a
/// thread that is as busy with as much memory, and does not scrape: what a batch takes beyond a multiple of the usual counts as
/// lost, on both sides, so what the machine takes away for a second busy thread falls on both.
fn recorders_during_scrapes(bench: &mut Bench) {
    const ROUND: Duration = Duration::from_millis(200);
    const STALL: Duration = Duration::from_micros(20);
    let metrics = Metrics::with_family_limit(2_000_000);
    each(100_000, |method, path, status| {
        let http = metrics.http();
        http.count(method, http.route(path), Status::new(status));
    });
    let http = metrics.http();
    let route = http.route(PATH);
    let routes: Vec<_> = (0..200)
        .map(|n| http.route(&format!("/churn/{n}")))
        .collect();
    let mut born = (0..1_000_000).map(|n| (routes[n / 5000], Method::ALL[n / 500 % 10], n % 500));
    let mut kept = || {
        let (start, mut lost, mut batch) = (Instant::now(), Duration::ZERO, 0);
        while start.elapsed() < ROUND {
            let began = Instant::now();
            repeat(64, || http.count(Method::Get, route, Status::new(200)));
            batch += 1;
            if batch % 256 == 0
                && let Some((route, method, code)) = born.next()
            {
                http.count(method, route, Status::new(100 + code as u16));
            }
            lost += began.elapsed().saturating_sub(STALL);
        }
        1.0 - lost.as_secs_f64() / start.elapsed().as_secs_f64()
    };
    let mut kept_beside = |busy: &(dyn Fn(&mut Vec<u8>) + Sync)| {
        let stop = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut out = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    out.clear();
                    busy(black_box(&mut out));
                }
            });
            let kept = kept();
            stop.store(true, Ordering::Relaxed);
            kept
        })
    };
    let scraping = |out: &mut Vec<u8>| metrics.encode(Format::Text, out);
    let mut body = Vec::new();
    scraping(&mut body);
    let copying = |out: &mut Vec<u8>| out.extend_from_slice(black_box(&body));
    let mut shares = Vec::new();
    for round in 0..15 {
        if round % 2 == 0 {
            let alone = kept_beside(&copying);
            shares.push((kept_beside(&scraping), alone));
        } else {
            let during = kept_beside(&scraping);
            shares.push((during, kept_beside(&copying)));
        }
    }
    let case = Case {
        case: "time kept during scrapes of 100k series, %",
        peer: "beside a busy thread",
        floor: 0.99,
    };
    bench.share(&case, &shares);
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

    pub(super) const LABELS: Labels = Labels {
        method: Method::Get,
        path: Path::Certificate,
        status: Status::Ok,
    };

    pub(super) type Requests = CounterVec<LabelsSet>;
}
