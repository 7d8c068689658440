//! Spans on the caller's side, and the export of them, against the raw SDK, the layer for `tracing`
//! and fastrace.

#[path = "tracing/export.rs"]
mod export;
#[path = "tracing/peers.rs"]
mod peers;
#[path = "tracing/sink.rs"]
mod sink;

use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_tracing::{Config, SampleRate, Span, Tracer};
use opentelemetry::Context;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_sdk::trace::Sampler;
use tracing::Dispatch;
use tracing_subscriber::layer::{Identity, SubscriberExt as _};

use crate::harness::{Bench, Case};
pub(crate) use export::{MEMORY, fill};
pub(crate) use sink::{SINK, serve};

struct Job {
    job_type: &'static str,
    id: &'static str,
    attempt: u32,
    certificate_id: &'static str,
    project_id: &'static str,
}

const JOB: Job = Job {
    job_type: "renew",
    id: "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA",
    attempt: 1,
    certificate_id: "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZB",
    project_id: "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZC",
};

pub(crate) fn run(bench: &mut Bench) {
    let zero = "0".parse().expect("a rate");
    let (none, all) = (ours(zero), ours(SampleRate::ALL));
    typed(bench, &none, &all);
    bridged(bench, &none, &all);
    for tracer in [none, all] {
        tracer.shutdown(Duration::ZERO);
    }
    export::run(bench);
}

/// A tracer whose queue is full, so its ended spans are dropped, as the peers' are.
fn ours(sample_rate: SampleRate) -> Tracer {
    let mut config = Config::new("http://127.0.0.1:9".parse().expect("an endpoint"));
    config.sample_rate = sample_rate;
    config.queue_size = 1.try_into().expect("in range");
    Tracer::start(config, connector()).expect("a sound configuration")
}

fn connector() -> Connector {
    Connector::new(Guard::new(Policy::default()), Trust::system().expect("roots"))
}

/// The span of a job with an attribute that is known only when it ends, six in all.
fn job(tracer: &Tracer) {
    start(tracer).set_attribute("cap.renewed", true);
}

fn start(tracer: &Tracer) -> Span {
    let job = tracer.job(JOB.job_type, JOB.id).attempt(JOB.attempt);
    job.certificate(JOB.certificate_id).project(JOB.project_id).start()
}

/// The same span as a team writes it with `tracing`, and nothing else.
fn team_job() {
    let span = tracing::info_span!(
        "job renew",
        otel.kind = "consumer",
        cap.job.r#type = JOB.job_type,
        cap.job.id = JOB.id,
        cap.job.attempt = JOB.attempt,
        cap.cert.id = JOB.certificate_id,
        cap.tenant.project_id = JOB.project_id,
        cap.renewed = tracing::field::Empty,
    );
    span.record("cap.renewed", true);
}

fn case<'a>(case: &'a str, peer: &'a str, floor: f64) -> Case<'a> {
    Case { case, peer, floor }
}

fn times(count: u64, mut f: impl FnMut()) {
    (0..count).for_each(|_| f());
}

fn typed(bench: &mut Bench, none: &Tracer, all: &Tracer) {
    let (no_spans, spans) =
        (peers::provider(Sampler::TraceIdRatioBased(0.0)), peers::provider(Sampler::AlwaysOn));
    let (raw_none, raw_all) = (no_spans.tracer("peer"), spans.tracer("peer"));
    let root = Context::new();
    peers::discard_fastrace();

    // An unsampled request is current, and a job is enqueued under it.
    start(none).in_scope(|| {
        bench.compare(
            &case("span under an unsampled parent", "raw SDK", 0.91),
            |count| times(count, || drop(none.enqueue(JOB.job_type, JOB.id))),
            |count| times(count, || peers::raw_child(&raw_none)),
        );
    });
    let ours = |count| times(count, || job(none));
    bench.compare(&case("unsampled root span", "raw SDK", 4.0), ours, |count| {
        times(count, || drop(peers::raw_job(&raw_none, &root)));
    });
    bench.compare(&case("unsampled root span", "fastrace", 0.0), ours, |count| {
        times(count, || drop(peers::fastrace_job(false)));
    });
    let ours = |count| {
        times(count, || {
            let span = start(none);
            span.in_scope(|| times(4, || drop(none.enqueue(JOB.job_type, JOB.id))));
        });
    };
    bench.compare(&case("unsampled tree of 1+4 spans", "raw SDK", 4.0), ours, |count| {
        times(count, || {
            let _current = peers::raw_job(&raw_none, &root).attach();
            times(4, || peers::raw_child(&raw_none));
        });
    });
    bench.compare(&case("unsampled tree of 1+4 spans", "fastrace", 0.0), ours, |count| {
        times(count, || {
            let root = peers::fastrace_job(false);
            let _current = root.set_local_parent();
            times(4, peers::fastrace_child);
        });
    });
    let ours = |count| times(count, || job(all));
    let sampled = "sampled span with six attributes";
    bench.compare_with_cpu(&case(sampled, "raw SDK", 0.91), ours, |count| {
        times(count, || drop(peers::raw_job(&raw_all, &root)));
    });
    tracing::dispatcher::with_default(&peers::layered(&raw_all), || {
        bench.compare_with_cpu(&case(sampled, "tracing-opentelemetry", 2.5), ours, |count| {
            times(count, team_job);
        });
    });
    bench.compare_with_cpu(&case(sampled, "fastrace", 0.0), ours, |count| {
        times(count, || drop(peers::fastrace_job(true)));
    });
}

/// A team's own spans of `tracing`. Each side's subscriber has its layer alone.
fn bridged(bench: &mut Bench, none: &Tracer, all: &Tracer) {
    let registry = tracing_subscriber::registry;
    let alone = |tracer: &Tracer| Dispatch::new(registry().with(tracer.bridge_exclusive()));
    let among_others = |tracer: &Tracer| Dispatch::new(registry().with(tracer.bridge()));
    let no_spans = peers::provider(Sampler::TraceIdRatioBased(0.0));
    let spans = peers::provider(Sampler::AlwaysOn);
    let layer_none = peers::layered(&no_spans.tracer("peer"));
    let layer_all = peers::layered(&spans.tracer("peer"));
    let under = |subscriber: &Dispatch, count| {
        tracing::dispatcher::with_default(subscriber, || times(count, team_job));
    };
    let peer = "tracing-opentelemetry";
    let (alone_none, among_none) = (alone(none), among_others(none));
    // A layer that does nothing is the lower bound. Without any layer the registry would keep each
    // span for ever.
    let bare = Dispatch::new(registry().with(Identity::new()));
    bench.compare(
        &case("the registry without a bridge", peer, 0.0),
        |count| under(&bare, count),
        |count| under(&layer_none, count),
    );
    let among = |bench: &mut Bench, name: &str, floor| {
        bench.compare(
            &case(name, peer, floor),
            |count| under(&among_none, count),
            |count| under(&layer_none, count),
        );
        bench.compare_added(
            &case(&format!("{name}, added"), peer, 10.0),
            |count| under(&bare, count),
            |count| under(&among_none, count),
            |count| under(&layer_none, count),
        );
    };
    start(none).in_scope(|| {
        bench.compare(
            &case("bridged span, unsampled parent", peer, 10.0),
            |count| under(&alone_none, count),
            |count| under(&layer_none, count),
        );
        among(bench, "the same among other layers", 4.0);
    });
    among(bench, "bridged root span, unsampled", 4.0);
    let (alone_all, among_all) = (alone(all), among_others(all));
    for (name, bridge) in [
        ("bridged span, sampled", &alone_all),
        ("the same among other layers, sampled", &among_all),
    ] {
        bench.compare_with_cpu(
            &case(name, peer, 1.667),
            |count| under(bridge, count),
            |count| under(&layer_all, count),
        );
    }
}
