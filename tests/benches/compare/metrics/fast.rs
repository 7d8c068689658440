//! The same metrics with fastmetrics.

use fastmetrics::derive::LabelSet;
use fastmetrics::format::text::{self, TextProfile};
use fastmetrics::metrics::{counter::Counter, histogram::Histogram};
use fastmetrics::registry::Registry;

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
pub(super) struct Labels {
    method: &'static str,
    path: &'static str,
    status: u16,
}

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
pub(super) struct Owned {
    method: &'static str,
    path: String,
    status: u16,
}

#[derive(Clone, Eq, PartialEq, Hash, LabelSet)]
pub(super) struct Timed {
    method: &'static str,
    path: &'static str,
}

pub(super) type Family<L = Labels, M = Counter> = fastmetrics::metrics::family::Family<L, M>;

pub(super) fn labels(n: u16) -> Labels {
    Labels {
        method: "GET",
        path: super::PATH,
        status: 200 + n,
    }
}

pub(super) fn timed(method: &'static str, path: &'static str) -> Timed {
    Timed { method, path }
}

pub(super) fn histograms() -> Family<Timed, Histogram> {
    Family::new(|| Histogram::new(super::BUCKETS))
}

/// So many counters, each at 1.
pub(super) fn requests(series: usize) -> Registry {
    let family = Family::<Owned, Counter>::default();
    super::each(series, |method, path, status| {
        let labels = Owned {
            method: method.as_str(),
            path: path.to_owned(),
            status,
        };
        family.with_or_new(&labels, Counter::inc);
    });
    let mut registry = Registry::default();
    registry
        .register("cap_http_requests", "HTTP requests answered", family)
        .expect("a valid name");
    registry
}

pub(super) fn encode(registry: &Registry, out: &mut String) {
    out.clear();
    text::encode(out, registry, TextProfile::PrometheusV0_0_4).expect("a String takes all");
}
