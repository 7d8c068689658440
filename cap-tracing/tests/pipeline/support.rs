//! Tracers, jobs to trace, and what must hold of the accounting.

use std::net::SocketAddr;
use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_testkit::until;
use cap_tracing::{Config, SampleRate, Stats, Tracer};
use opentelemetry_proto::tonic::trace::v1::Span;

pub(crate) use cap_testkit::LONG;

pub(crate) fn connector() -> Connector {
    Connector::new(Guard::new(Policy::default()), Trust::system().unwrap())
}

/// A tracer that samples everything and hardly waits for a batch to fill.
pub(crate) fn tracer_to(
    endpoint: &str,
    connector: Connector,
    change: impl FnOnce(&mut Config),
) -> Tracer {
    let mut config = Config::new(endpoint.parse().unwrap());
    config.sample_rate = SampleRate::ALL;
    config.batch_delay = Duration::from_millis(10);
    change(&mut config);
    Tracer::start(config, connector).unwrap()
}

pub(crate) fn tracer(to: SocketAddr, change: impl FnOnce(&mut Config)) -> Tracer {
    tracer_to(&format!("http://{to}"), connector(), change)
}

pub(crate) fn job(tracer: &Tracer, id: &str) -> cap_tracing::Span {
    tracer.job("renew", id).attempt(2).certificate("c1").start()
}

pub(crate) fn jobs(tracer: &Tracer, n: usize) {
    (0..n).for_each(|n| drop(job(tracer, &n.to_string())));
}

/// Waits until nothing is pending.
pub(crate) fn settles(tracer: &Tracer) {
    until("the end of the last pending span", LONG, || tracer.stats().pending == 0);
}

pub(crate) fn closes(stats: &Stats) {
    let Stats { started, exported, rejected, dropped, failed, failed_by, pending, .. } = stats;
    assert_eq!(*failed, failed_by.total(), "{stats}");
    assert_eq!(*started, exported + rejected + dropped + failed + pending, "{stats}");
}

pub(crate) fn attributes(span: &Span) -> Vec<String> {
    let value = |value: &Option<opentelemetry_proto::tonic::common::v1::AnyValue>| {
        use opentelemetry_proto::tonic::common::v1::any_value::Value;
        match value.as_ref().and_then(|value| value.value.clone()) {
            Some(Value::StringValue(s)) => s,
            Some(Value::IntValue(n)) => n.to_string(),
            other => format!("{other:?}"),
        }
    };
    let mut all: Vec<_> =
        span.attributes.iter().map(|kv| format!("{}={}", kv.key, value(&kv.value))).collect();
    all.sort();
    all
}
