//! The same series with each crate, ready to be encoded.

use cap_metrics::{Format, HttpStatus, Metrics, Outcome};
use metrics_exporter_prometheus::PrometheusBuilder;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::{counter::Counter, family::Family, histogram::Histogram};
use prometheus_client::registry::Registry;

use super::series::{self, CALLS, CALLS_HELP, REQUESTS, REQUESTS_HELP};
use super::{BUCKETS, fast, many};

/// Encodes once and shows the body. Each crate writes into its preferred buffer and reuses it if it
/// can.
pub(super) type Encode = Box<dyn FnMut(&mut dyn FnMut(&[u8]))>;

pub(super) struct Peer {
    pub(super) name: &'static str,
    /// The format that it writes; ours is compared in the same.
    pub(super) format: Format,
    /// This many counters, each at 1.
    pub(super) counters: fn(usize) -> Encode,
    /// This many histograms, each with one observation.
    pub(super) histograms: fn(usize) -> Encode,
}

pub(super) const PEERS: [Peer; 5] = [
    Peer {
        name: "prometheus-client",
        format: Format::OpenMetrics,
        counters: client_counters,
        histograms: client_histograms,
    },
    Peer {
        name: "prometheus",
        format: Format::Text,
        counters: prometheus_counters,
        histograms: prometheus_histograms,
    },
    Peer {
        name: "metrics",
        format: Format::Text,
        counters: metrics_counters,
        histograms: metrics_histograms,
    },
    Peer {
        name: "fastmetrics",
        format: Format::Text,
        counters: fast::counters,
        histograms: fast::histograms,
    },
    Peer {
        name: "measured",
        format: Format::Text,
        counters: many::counters,
        histograms: many::histograms,
    },
];

/// Ours.
pub(super) fn counted(series: usize) -> Metrics {
    counted_within(series, 2 * series)
}

pub(super) fn counted_within(series: usize, limit: usize) -> Metrics {
    let metrics = Metrics::with_family_limit(limit);
    count_all(&metrics, series);
    metrics
}

pub(super) fn count_all(metrics: &Metrics, series: usize) {
    let http = metrics.http();
    series::requests(series, |method, path, status| {
        http.record_request(method, http.route(path), HttpStatus::new(status));
    });
}

/// Ours. Each call is also counted, in a family of its own that the peers do not have.
pub(super) fn observed(series: usize) -> Metrics {
    let metrics = Metrics::with_family_limit(2 * series);
    series::calls(series, |provider, endpoint, status, took| {
        let status = HttpStatus::new(status);
        let external = metrics.external();
        external.record_called(provider, endpoint, status, Outcome::Success, took);
    });
    metrics
}

pub(super) fn ours(metrics: Metrics, format: Format) -> Encode {
    let mut out = Vec::new();
    Box::new(move |show| {
        out.clear();
        metrics.encode(format, &mut out);
        show(&out);
    })
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Request {
    method: &'static str,
    path: String,
    status: u16,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    provider: String,
    endpoint: String,
    status: u16,
}

fn client_counters(series: usize) -> Encode {
    let family = Family::<Request, Counter>::default();
    series::requests(series, |method, path, status| {
        let (method, path) = (method.as_str(), path.to_owned());
        let labels = Request { method, path, status };
        family.get_or_create(&labels).inc();
    });
    let mut registry = Registry::default();
    registry.register("cap_http_requests", REQUESTS_HELP, family);
    client(registry)
}

fn client_histograms(series: usize) -> Encode {
    let family = Family::<Call, Histogram>::new_with_constructor(|| Histogram::new(BUCKETS));
    series::calls(series, |provider, endpoint, status, took| {
        let (provider, endpoint) = (provider.to_owned(), endpoint.to_owned());
        let labels = Call { provider, endpoint, status };
        family.get_or_create(&labels).observe(took.as_secs_f64());
    });
    let mut registry = Registry::default();
    registry.register(CALLS, CALLS_HELP, family);
    client(registry)
}

fn client(registry: Registry) -> Encode {
    let mut text = String::new();
    Box::new(move |show| {
        text.clear();
        prometheus_client::encoding::text::encode(&mut text, &registry)
            .expect("a String takes all");
        show(text.as_bytes());
    })
}

fn prometheus_counters(series: usize) -> Encode {
    let opts = prometheus::Opts::new(REQUESTS, REQUESTS_HELP);
    let vec = prometheus::IntCounterVec::new(opts, &["method", "path", "status"]).expect("valid");
    series::requests(series, |method, path, status| {
        vec.with_label_values(&[method.as_str(), path, &status.to_string()]).inc();
    });
    gathered(vec)
}

fn prometheus_histograms(series: usize) -> Encode {
    let opts = prometheus::HistogramOpts::new(CALLS, CALLS_HELP).buckets(BUCKETS.to_vec());
    let labels = ["provider", "endpoint", "status"];
    let vec = prometheus::HistogramVec::new(opts, &labels).expect("valid");
    series::calls(series, |provider, endpoint, status, took| {
        vec.with_label_values(&[provider, endpoint, &status.to_string()])
            .observe(took.as_secs_f64());
    });
    gathered(vec)
}

fn gathered(family: impl prometheus::core::Collector + 'static) -> Encode {
    let registry = prometheus::Registry::new();
    registry.register(Box::new(family)).expect("alone");
    let mut bytes = Vec::new();
    Box::new(move |show| {
        bytes.clear();
        let encoder = prometheus::TextEncoder::new();
        prometheus::Encoder::encode(&encoder, &registry.gather(), &mut bytes)
            .expect("a Vec takes all");
        show(&bytes);
    })
}

fn metrics_counters(series: usize) -> Encode {
    let recorder = PrometheusBuilder::new().build_recorder();
    ::metrics::with_local_recorder(&recorder, || {
        ::metrics::describe_counter!(REQUESTS, REQUESTS_HELP);
        series::requests(series, |method, path, status| {
            let (path, status) = (path.to_owned(), status.to_string());
            ::metrics::counter!(REQUESTS, "method" => method.as_str(), "path" => path, "status" => status)
                .increment(1);
        });
    });
    let handle = recorder.handle();
    Box::new(move |show| show(handle.render().as_bytes()))
}

fn metrics_histograms(series: usize) -> Encode {
    let recorder =
        PrometheusBuilder::new().set_buckets(&BUCKETS).expect("buckets").build_recorder();
    ::metrics::with_local_recorder(&recorder, || {
        ::metrics::describe_histogram!(CALLS, CALLS_HELP);
        series::calls(series, |provider, endpoint, status, took| {
            let (provider, endpoint) = (provider.to_owned(), endpoint.to_owned());
            let status = status.to_string();
            ::metrics::histogram!(CALLS, "provider" => provider, "endpoint" => endpoint, "status" => status)
                .record(took.as_secs_f64());
        });
    });
    let handle = recorder.handle();
    Box::new(move |show| show(handle.render().as_bytes()))
}
