//! Recording and exposition, against prometheus-client.

use std::hint::black_box;

use cap_metrics::{Method, Metrics, Status};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::registry::Registry;

use crate::harness::{Bench, Case};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Labels {
    method: &'static str,
    path: &'static str,
    status: u16,
}

const LABELS: Labels = Labels {
    method: "GET",
    path: "/projects/:projectId/certificates/:id",
    status: 200,
};

pub(crate) fn run(bench: &mut Bench) {
    let metrics = Metrics::new();
    let http = metrics.http();
    let route = http.route(LABELS.path);
    let status = Status::new(LABELS.status);
    let ours = |count| {
        for _ in 0..count {
            http.count(black_box(Method::Get), black_box(route), black_box(status));
        }
    };
    let family = Family::<Labels, Counter>::default();
    let theirs = |count| {
        for _ in 0..count {
            family.get_or_create(black_box(&LABELS)).inc();
        }
    };
    bench.compare(
        &Case {
            case: "counter{method,path,status}, 1 thread",
            peer: "prometheus-client",
            floor: 5.0,
        },
        ours,
        theirs,
    );
    bench.compare_on_two_threads(
        &Case {
            case: "counter{method,path,status}, 2 threads",
            peer: "prometheus-client",
            floor: 5.0,
        },
        ours,
        theirs,
    );
    encode(bench);
}

/// The time of one series of a thousand.
fn encode(bench: &mut Bench) {
    const SERIES: usize = 1000;
    let metrics = Metrics::new();
    let family = Family::<Labels, Counter>::default();
    for n in 0..SERIES {
        let (status, path) = ((100 + n % 500) as u16, if n < 500 { "/a" } else { "/b" });
        metrics
            .http()
            .count(Method::Get, metrics.http().route(path), Status::new(status));
        family
            .get_or_create(&Labels {
                method: "GET",
                path,
                status,
            })
            .inc();
    }
    let mut registry = Registry::default();
    registry.register("cap_http_requests", "HTTP requests answered", family);
    bench.compare(
        &Case {
            case: "render 1k counter series",
            peer: "prometheus-client",
            floor: 3.0,
        },
        |count| {
            for _ in 0..count {
                black_box(metrics.render());
            }
        },
        |count| {
            for _ in 0..count {
                let mut text = String::with_capacity(16 * 1024);
                prometheus_client::encoding::text::encode(&mut text, &registry)
                    .expect("a String takes all");
                black_box(text);
            }
        },
    );
}
