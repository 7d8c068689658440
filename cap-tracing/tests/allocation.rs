//! What spans allocate: an unsampled span nothing, and all queued spans no more than the queue
//! holds.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "pipeline/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the pipeline")]
mod support;

use std::net::TcpListener;

use cap_names::ErrorClass;
use cap_tracing::{Tracer, current_span};
use http::{HeaderMap, Method, StatusCode, Uri};

use support::{LONG, collector, job, jobs, settles, tracer};

/// The kernel accepts its connections, and nobody reads from them.
fn wedged() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

fn every_kind(tracer: &Tracer, headers: &HeaderMap) {
    let request = tracer.request(&Method::POST, headers).route("/certificates/:id").start();
    request.record_status(StatusCode::SERVICE_UNAVAILABLE);
    drop(request);
    let span = job(tracer, "j1");
    span.set_attribute("cap.renewed", true);
    span.record_error(ErrorClass::Network, &"no route to host");
    drop(span);
    current_span().set_org("o1").record_audit_event("cert.renewed", "evt_1");
    drop(tracer.enqueue("renew", "j1"));
    let uri = Uri::from_static("https://ca.example.com/order");
    drop(tracer.external_call("acme", "new-order", &Method::POST, &uri));
    drop(tracer.db("INSERT", "jobs"));
    drop(tracer.service_call("policy", "check"));
    drop(tracer.emit_event("cert.renewed", "evt_1"));
}

#[test]
fn an_unsampled_span_allocates_nothing() {
    let collector = wedged();
    let tracer = tracer(collector.local_addr().unwrap(), |config| {
        config.sample_rate = "0".parse().unwrap();
    });
    let headers = HeaderMap::new();
    // A thread makes its own buffers when it first needs them.
    every_kind(&tracer, &headers);
    let roots = allocation_counter::measure(|| every_kind(&tracer, &headers));
    assert_eq!(roots.count_total, 0);
    job(&tracer, "j1").in_scope(|| {
        let children = allocation_counter::measure(|| every_kind(&tracer, &headers));
        assert_eq!(children.count_total, 0);
    });
}

/// Memory that one thread frees for another goes through structures that all threads share.
#[test]
fn a_thread_that_makes_spans_frees_what_those_before_held() {
    let (_collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let round = || {
        jobs(&tracer, 500);
        settles(&tracer);
    };
    round();
    let once = allocation_counter::measure(round);
    let more = allocation_counter::measure(|| (0..8).for_each(|_| round()));
    assert!(more.count_total > 7 * once.count_total, "{more:?}");
    let left = more.count_current.unsigned_abs();
    assert!(left < once.count_total, "{left} of {more:?}");
    tracer.shutdown(LONG);
}

#[test]
fn a_full_queue_takes_no_more_memory() {
    let collector = wedged();
    let (queue, batch) = (1000, 100);
    let tracer = tracer(collector.local_addr().unwrap(), |config| {
        config.queue_size = queue.try_into().unwrap();
        config.batch_size = batch.try_into().unwrap();
    });
    jobs(&tracer, 2 * (queue + batch));
    let more = allocation_counter::measure(|| jobs(&tracer, 20_000));
    // The export thread may have taken one more batch meanwhile.
    let span = 4096;
    let most = (batch * span) as u64;
    assert!(more.bytes_max < most, "{more:?}");
    assert!(tracer.stats().dropped > 20_000);
    tracer.shutdown(std::time::Duration::ZERO);
}
