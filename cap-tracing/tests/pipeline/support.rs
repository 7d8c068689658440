//! Tracers, collectors, jobs to trace, and what must hold of the accounting.

use std::net::SocketAddr;
use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_testkit::{Background, Fault, OtlpReceiver, ReceivedSpan, until};
use cap_tracing::{Config, SampleRate, Stats, Tracer};

pub(crate) use cap_testkit::LONG;

pub(crate) type Collector = Background<OtlpReceiver>;

/// A collector that has these faults first, and its address.
pub(crate) fn collector(faults: impl IntoIterator<Item = Fault>) -> (Collector, SocketAddr) {
    let collector = Background::start(OtlpReceiver::start).unwrap();
    faults.into_iter().for_each(|fault| collector.inject(fault));
    let address = collector.addr();
    (collector, address)
}

/// 503 with a `Retry-After`.
pub(crate) const fn unavailable(seconds: u64) -> Fault {
    Fault::Status { code: 503, retry_after: Some(Duration::from_secs(seconds)) }
}

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

pub(crate) fn is_child(span: &ReceivedSpan, parent: &ReceivedSpan) -> bool {
    span.parent_span_id.as_ref() == Some(&parent.span_id)
}

pub(crate) fn attributes(span: &ReceivedSpan) -> Vec<String> {
    span.attributes.iter().map(|(key, value)| format!("{key}={value}")).collect()
}
