//! The same metrics with fastmetrics.

use fastmetrics::derive::LabelSet;
use fastmetrics::format::text::{self, TextProfile};
use fastmetrics::metrics::{counter::Counter, histogram::Histogram};
use fastmetrics::registry::Registry;

use super::peers::Encode;
use super::series::{self, CALLS, CALLS_HELP, REQUESTS, REQUESTS_HELP};

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
pub(super) struct Labels {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
    pub(super) status: u16,
}

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
pub(super) struct Timed {
    pub(super) method: &'static str,
    pub(super) path: &'static str,
}

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
struct Request {
    method: &'static str,
    path: String,
    status: u16,
}

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
struct Call {
    provider: String,
    endpoint: String,
    status: u16,
}

pub(super) type Family<L, M> = fastmetrics::metrics::family::Family<L, M>;

pub(super) fn histogram<L>() -> Family<L, Histogram> {
    Family::new(|| Histogram::new(super::BUCKETS))
}

pub(super) fn counters(series: usize) -> Encode {
    let family = Family::<Request, Counter>::default();
    series::requests(series, |method, path, status| {
        let (method, path) = (method.as_str(), path.to_owned());
        let labels = Request { method, path, status };
        family.with_or_new(&labels, Counter::inc);
    });
    let mut registry = Registry::default();
    registry.register(REQUESTS, REQUESTS_HELP, family).expect("a valid name");
    encode(registry)
}

pub(super) fn histograms(series: usize) -> Encode {
    let family = histogram::<Call>();
    series::calls(series, |provider, endpoint, status, took| {
        let (provider, endpoint) = (provider.to_owned(), endpoint.to_owned());
        let labels = Call { provider, endpoint, status };
        family.with_or_new(&labels, |one| one.observe(took.as_secs_f64()));
    });
    let mut registry = Registry::default();
    registry.register(CALLS, CALLS_HELP, family).expect("a valid name");
    encode(registry)
}

fn encode(registry: Registry) -> Encode {
    let mut text = String::new();
    Box::new(move |show| {
        text.clear();
        let profile = TextProfile::PrometheusV0_0_4;
        text::encode(&mut text, &registry, profile).expect("a String takes all");
        show(text.as_bytes());
    })
}
