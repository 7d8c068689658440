//! Who decides whether a trace is sampled, and what a span records.

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::body::Body;
use axum::http::Request;
use axum::routing::get;
use cap_tracing::{Audience, SampleRate, TraceLayer, Tracer};
use tower::ServiceExt as _;

use crate::support::{LONG, collector, job, jobs, tracer};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const INSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(10, 1, 2, 3));
const OUTSIDE: IpAddr = IpAddr::V4(Ipv4Addr::new(203, 0, 113, 9));

/// The traceparent that is sent on when a request comes from `peer` with these flags.
async fn sent_on(tracer: &Tracer, peer: Option<IpAddr>, flags: &str) -> String {
    let handler = async || {
        let carrier = serde_json::to_value(cap_tracing::current_span().carrier()).unwrap();
        carrier["traceparent"].as_str().unwrap().to_owned()
    };
    let layer = TraceLayer::new(tracer.clone()).with_peer(|request| request.get().copied());
    let app = Router::new().route("/", get(handler)).layer(layer);
    let mut request =
        Request::get("/").header("traceparent", format!("00-{TRACE}-{PARENT}-{flags}"));
    if let Some(peer) = peer {
        request = request.extension(peer);
    }
    let response = app.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let body = axum::body::to_bytes(response.into_body(), 100).await.unwrap();
    String::from_utf8(body.to_vec()).unwrap()
}

#[tokio::test]
async fn only_a_trusted_peer_decides_whether_its_trace_is_sampled() {
    let (_collector, address) = collector([]);
    let trusting = |rate: &str| {
        tracer(address, |config| {
            config.sample_rate = rate.parse().unwrap();
            config.trusted_peers = Some(vec!["10.0.0.0/8".parse().unwrap()]);
        })
    };
    let (none, all) = (trusting("0"), trusting("1"));
    let mapped = Ipv4Addr::new(10, 1, 2, 3).to_ipv6_mapped().into();
    for (tracer, peer, flags, sampled) in [
        (&none, Some(INSIDE), "01", true),
        (&none, Some(mapped), "01", true),
        (&none, Some(OUTSIDE), "01", false),
        (&none, None, "01", false),
        (&all, Some(INSIDE), "00", false),
        (&all, Some(OUTSIDE), "00", true),
    ] {
        let parent = sent_on(tracer, peer, flags).await;
        assert!(parent.starts_with(&format!("00-{TRACE}-")), "{parent}");
        let expected = if sampled { "-01" } else { "-00" };
        assert!(parent.ends_with(expected), "{peer:?} {flags}: {parent}");
        // Who changes the decision changes the parent-id; who passes it on does not.
        let theirs = parent.contains(PARENT);
        assert_eq!(theirs, !sampled && flags == "00", "{parent}");
    }
}

#[test]
fn a_new_rate_leaves_the_decision_of_traces_that_have_begun() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |config| config.sample_rate = "0".parse().unwrap());
    let unsampled = job(&tracer, "under way");
    tracer.set_sample_rate(SampleRate::ALL);
    unsampled.in_scope(|| drop(tracer.enqueue("renew", "j1")));
    drop(unsampled);
    jobs(&tracer, 3);
    tracer.set_sample_rate("0".parse().unwrap());
    jobs(&tracer, 5);
    assert_eq!(tracer.shutdown(LONG).exported, 3);
    // Sampled (bit 0) and with a random trace id (bit 1).
    assert!(collector.spans().iter().all(|span| span.flags & 3 == 3));
}

#[test]
fn an_unsampled_root_sends_one_valid_decision_to_every_call() {
    let (_collector, address) = collector([]);
    let tracer = tracer(address, |config| config.sample_rate = "0".parse().unwrap());
    let span = job(&tracer, "j1");
    let [first, second] = [(); 2].map(|()| {
        let mut headers = http::HeaderMap::new();
        span.inject(&mut headers, Audience::ThirdParty);
        headers["traceparent"].to_str().unwrap().to_owned()
    });
    assert_eq!(first, second);
    let parts: Vec<_> = first.split('-').collect();
    assert!(parts[1..3].iter().all(|id| id.bytes().any(|digit| digit != b'0')));
    assert_eq!((parts[1].len(), parts[2].len()), (32, 16));
}

#[test]
fn a_span_counts_what_exceeds_its_limits() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let span = job(&tracer, "j1");
    for n in 0..200 {
        span.set_attribute(format!("cap.{n}").leak(), n);
    }
    span.in_scope(|| {
        for _ in 0..130 {
            cap_tracing::current_span().record_audit_event("t", "e");
        }
    });
    drop(span);
    tracer.shutdown(LONG);
    let span = &collector.spans()[0];
    assert_eq!((span.attributes.len(), span.dropped_attributes), (128, 76));
    assert_eq!((span.events.len(), span.dropped_events), (128, 2));
    assert!(span.end_nanos >= span.start_nanos);
}
