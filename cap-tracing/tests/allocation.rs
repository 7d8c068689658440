//! What spans allocate: an unsampled one nothing, and all of them together no more than the queue holds.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "pipe/collector.rs"]
#[allow(dead_code, reason = "shared with the tests of the pipe")]
mod collector;
#[path = "pipe/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the pipe")]
mod support;

use std::net::TcpListener;

use cap_names::ErrorClass;
use cap_tracing::{Tracing, current};
use http::{HeaderMap, Method, Uri};

use support::{job, jobs, pipe};

/// Accepted by the kernel, and never read.
fn wedged() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn every_kind(tracing: &Tracing, headers: &HeaderMap) {
    let request = tracing.request(headers, None, &Method::POST, Some("/certificates/:id"));
    request.answered(503);
    drop(request);
    let span = job(tracing, "j1");
    span.set("cap.renewed", true);
    span.fail(ErrorClass::Network, &"no route to host");
    drop(span);
    current().org("o1").audit_event("evt_1", "cert.renewed");
    drop(tracing.enqueue("renew", "j1"));
    let uri = Uri::from_static("https://ca.example.com/order");
    drop(tracing.external_call("acme", "new-order", &Method::POST, &uri));
    drop(tracing.db("INSERT", "jobs"));
    drop(tracing.service_call("policy", "check"));
    drop(tracing.emit_event("cert.renewed", "evt_1"));
}

#[test]
fn an_unsampled_span_allocates_nothing() {
    let collector = wedged();
    let tracing = pipe(collector.local_addr().unwrap(), |config| {
        config.sample_rate = "0".parse().unwrap();
    });
    let headers = HeaderMap::new();
    // What a thread keeps to itself is made when it first needs it.
    every_kind(&tracing, &headers);
    let roots = allocation_counter::measure(|| every_kind(&tracing, &headers));
    assert_eq!(roots.count_total, 0);
    job(&tracing, "j1").in_scope(|| {
        let children = allocation_counter::measure(|| every_kind(&tracing, &headers));
        assert_eq!(children.count_total, 0);
    });
}

/// What one thread takes and another frees goes through what all threads share, string by string.
#[test]
fn a_thread_that_makes_spans_frees_what_those_before_held() {
    let (_collector, address) = collector::Collector::start([]);
    let tracing = pipe(address, |_| {});
    let round = || {
        jobs(&tracing, 500);
        support::settles(&tracing);
    };
    round();
    let once = allocation_counter::measure(round);
    let more = allocation_counter::measure(|| (0..8).for_each(|_| round()));
    assert!(more.count_total > 7 * once.count_total, "{more:?}");
    let left = more.count_current.unsigned_abs();
    assert!(left < once.count_total, "{left} of {more:?}");
    tracing.shutdown(support::LONG);
}

#[test]
fn a_full_queue_takes_no_more_memory() {
    let collector = wedged();
    let (queue, batch) = (1000, 100);
    let tracing = pipe(collector.local_addr().unwrap(), |config| {
        (config.queue_size, config.batch_size) = (queue, batch);
    });
    jobs(&tracing, 2 * (queue + batch));
    let more = allocation_counter::measure(|| jobs(&tracing, 20_000));
    // The export thread may have taken one more batch out of it in the meantime.
    let span = 4096;
    let most = (batch * span) as u64;
    assert!(more.bytes_max < most, "{more:?}");
    assert!(tracing.stats().dropped > 20_000);
    tracing.shutdown(std::time::Duration::ZERO);
}
