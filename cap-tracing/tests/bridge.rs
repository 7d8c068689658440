//! Spans of the `tracing` crate among the typed ones and in log lines; the exporter makes none.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "pipeline/support.rs"]
#[allow(dead_code, reason = "shared with the tests of the pipeline")]
mod support;

use std::io::Read as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_tracing::{Carrier, LogFormat, SpanIds, Tracer};
use tracing_subscriber::fmt::format;
use tracing_subscriber::prelude::*;

use support::{
    LONG, attributes, closes, collector, connector, is_child, job, settles, tracer, tracer_to,
};

#[tracing::instrument(skip(tracer), fields(otel.kind = "client", answer = tracing::field::Empty))]
fn renew(tracer: &Tracer, domain: &str) -> Option<SpanIds> {
    tracing::Span::current().record("answer", 42);
    tracing::info!(tries = 2_u64, "asked the authority");
    drop(tracer.enqueue("notify", "j2"));
    cap_tracing::current_span().ids()
}

#[tracing::instrument(err)]
fn fails() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("no route to host"))
}

#[test]
fn typed_spans_and_those_of_tracing_are_each_other_s_children() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let subscriber = tracing_subscriber::registry().with(tracer.bridge());
    let ids = tracing::subscriber::with_default(subscriber, || {
        job(&tracer, "j1").in_scope(|| {
            let _ = fails();
            renew(&tracer, "api.example.com")
        })
    });
    let stats = tracer.shutdown(LONG);
    assert_eq!((stats.started, stats.exported), (4, 4), "{stats}");
    let spans = collector.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (outer, middle, inner) = (named("job renew"), named("renew"), named("enqueue notify"));
    assert!(is_child(middle, outer) && is_child(inner, middle));
    assert_eq!(attributes(middle), ["answer=42", "domain=api.example.com"]);
    assert_eq!(middle.kind, "client");
    let ids = ids.map(|ids| (ids.trace_id_hex(), ids.span_id_hex()));
    assert_eq!(ids, Some((middle.trace_id.clone(), middle.span_id.clone())));
    let event = &middle.events[0];
    assert_eq!(event.name, "asked the authority");
    assert!(event.attributes.contains_key("tries"));
    assert_eq!(named("fails").error.as_deref(), Some("no route to host"));
}

#[tokio::test]
async fn a_span_follows_its_future_across_awaits() {
    use tracing::Instrument as _;
    let (collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let subscriber = tracing_subscriber::registry().with(tracer.bridge());
    let _default = tracing::subscriber::set_default(subscriber);
    let work = |n: &'static str| {
        let tracer = tracer.clone();
        async move {
            for _ in 0..3 {
                tokio::task::yield_now().await;
                drop(tracer.enqueue(n, n));
            }
        }
    };
    let (one, two) = (tracing::info_span!("one"), tracing::info_span!("two"));
    tokio::join!(work("a").instrument(one), work("b").instrument(two));
    tracer.shutdown(LONG);
    let spans = collector.spans();
    for (parent, child) in [("one", "enqueue a"), ("two", "enqueue b")] {
        let parent = spans.iter().find(|span| span.name == parent).unwrap();
        let children = spans.iter().filter(|span| span.name == child);
        assert!(children.clone().all(|span| is_child(span, parent)));
        assert_eq!(children.count(), 3);
    }
    assert!(cap_tracing::current_span().ids().is_none());
}

#[test]
fn an_unsampled_parent_makes_no_span_and_keeps_its_context() {
    let (_collector, address) = collector([]);
    let tracer = tracer(address, |config| config.sample_rate = "0".parse().unwrap());
    let subscriber = tracing_subscriber::registry().with(tracer.bridge());
    tracing::subscriber::with_default(subscriber, || {
        let job = job(&tracer, "j1");
        job.in_scope(|| {
            assert_eq!(renew(&tracer, "a"), None);
            let span = tracing::info_span!("not made");
            assert_eq!(span.in_scope(|| cap_tracing::current_span().carrier()), job.carrier());
        });
        // A root decides for all spans below it.
        tracing::info_span!("root").in_scope(|| {
            let root = cap_tracing::current_span().carrier();
            let below = tracing::info_span!("not made");
            assert_eq!(below.in_scope(|| cap_tracing::current_span().carrier()), root);
            assert_ne!(root, Carrier::default());
        });
    });
    assert_eq!(tracer.shutdown(LONG).started, 0);
}

/// A span may be entered where no span is current: in another task or on another thread.
#[test]
fn a_span_takes_its_context_to_another_thread() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |config| config.sample_rate = "0".parse().unwrap());
    let subscriber = tracing_subscriber::registry().with(tracer.bridge());
    let dispatch = tracing::Dispatch::new(subscriber);
    let elsewhere = |span: tracing::Span| {
        let carrier = || {
            let in_span = || span.in_scope(|| cap_tracing::current_span().carrier());
            tracing::dispatcher::with_default(&dispatch, in_span)
        };
        std::thread::scope(|scope| scope.spawn(carrier).join().unwrap())
    };
    tracing::dispatcher::with_default(&dispatch, || {
        for flags in ["00", "01"] {
            let upstream = format!("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-{flags}");
            let mut headers = http::HeaderMap::new();
            headers.insert("traceparent", upstream.parse().unwrap());
            headers.insert("baggage", "k=v".parse().unwrap());
            let request = tracer.request(&http::Method::GET, &headers).start();
            let team = request.in_scope(|| tracing::info_span!("team"));
            let there = serde_json::to_string(&elsewhere(team)).unwrap();
            assert!(there.contains("k=v") && there.contains("0af7651916cd43dd8448eb211c80319c"));
            assert_eq!(there.contains(&upstream), flags == "00", "{there}");
        }
        // An unsampled root decides there too, and always in the same way.
        let root = tracing::info_span!("root");
        let first = elsewhere(root.clone());
        assert_ne!(first, Carrier::default());
        assert_eq!(elsewhere(root), first);
    });
    assert_eq!(tracer.shutdown(LONG).exported, 2);
    drop(collector);
}

/// An explicit parent counts, not the current span.
#[test]
fn a_named_parent_wins_over_the_current_span() {
    let (collector, address) = collector([]);
    let tracer = tracer(address, |config| config.sample_rate = "0".parse().unwrap());
    let subscriber = tracing_subscriber::registry().with(tracer.bridge());
    tracing::subscriber::with_default(subscriber, || {
        let mut headers = http::HeaderMap::new();
        let upstream = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        headers.insert("traceparent", upstream.parse().unwrap());
        let sampled = tracer.request(&http::Method::GET, &headers).start();
        let named = sampled.in_scope(|| tracing::info_span!("named"));
        job(&tracer, "unsampled").in_scope(|| {
            drop(tracing::info_span!(parent: &named, "child"));
            drop(tracing::info_span!("not made"));
            tracer.set_sample_rate(cap_tracing::SampleRate::ALL);
            drop(tracing::info_span!(parent: None, "root"));
        });
    });
    tracer.shutdown(LONG);
    let spans = collector.spans();
    let mut names: Vec<_> = spans.iter().map(|span| &*span.name).collect();
    names.sort_unstable();
    assert_eq!(names, ["GET", "child", "named", "root"]);
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert!(is_child(named("child"), named("named")));
    assert_eq!(named("root").parent_span_id, None);
}

#[test]
fn exclusive_disables_unsampled_spans_and_keeps_log_lines() {
    let (collector, address) = collector([]);
    let (all, none) = (
        tracer(address, |_| {}),
        tracer(address, |config| config.sample_rate = "0".parse().unwrap()),
    );
    for (tracer, sampled) in [(all, true), (none, false)] {
        let (mut lines, written) = std::io::pipe().unwrap();
        let layer =
            tracing_subscriber::fmt::layer().with_ansi(false).with_writer(Arc::new(written));
        let subscriber = tracing_subscriber::registry().with(tracer.bridge_exclusive()).with(layer);
        tracing::subscriber::with_default(subscriber, || {
            job(&tracer, "j1").in_scope(|| {
                let span = tracing::info_span!("team", otel.name = "renamed", n = 1);
                assert_eq!(span.is_disabled(), !sampled);
                let _ = span.in_scope(|| renew(&tracer, "a"));
            });
            // No decision exists yet, so this begins a trace.
            let root = tracing::info_span!("root");
            assert!(!root.is_disabled());
        });
        let mut text = String::new();
        lines.read_to_string(&mut text).unwrap();
        assert!(text.contains("asked the authority"), "{text}");
        let stats = tracer.shutdown(LONG);
        assert_eq!(stats.started, if sampled { 5 } else { 0 }, "{stats}");
    }
    let spans = collector.spans();
    let named = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    let (outer, team) = (named("job renew"), named("renamed"));
    assert!(is_child(team, outer) && is_child(named("renew"), team));
    assert_eq!(attributes(team), ["n=1"]);
    assert_eq!(named("renew").events.len(), 1);
}

#[test]
fn log_lines_name_the_span_they_belong_to() {
    let (_collector, address) = collector([]);
    let tracer = tracer(address, |_| {});
    let (mut lines, written) = std::io::pipe().unwrap();
    let layer = tracing_subscriber::fmt::layer()
        .event_format(LogFormat::new(format().with_ansi(false).without_time()))
        .with_writer(Arc::new(written));
    let subscriber = tracing_subscriber::registry().with(layer).with(tracer.bridge());
    let ids = tracing::subscriber::with_default(subscriber, || {
        tracing::info!("outside");
        let typed = job(&tracer, "j1");
        typed.in_scope(|| tracing::info!("typed"));
        let span = tracing::info_span!("team");
        let team = span.in_scope(|| {
            tracing::info!("team");
            cap_tracing::current_span().ids()
        });
        [typed.ids().unwrap(), team.unwrap()]
    });
    let mut text = String::new();
    lines.read_to_string(&mut text).unwrap();
    let lines: Vec<_> = text.lines().collect();
    assert!(!lines[0].contains("trace_id"), "{text}");
    for (line, ids) in lines[1..].iter().zip(ids) {
        let (trace, span) = (ids.trace_id_hex(), ids.span_id_hex());
        assert!(line.starts_with(&format!("trace_id={trace} span_id={span} ")), "{line}");
    }
    assert_eq!(lines.len(), 3);
    tracer.shutdown(Duration::ZERO);
}

/// Exports over gRPC for six seconds, under a subscriber that records every span of every thread of
/// the process.
#[test]
fn the_exporter_makes_no_span_of_its_own() {
    let (collector, address) = collector([]);
    let tracer = tracer_to(&format!("grpc://{address}"), connector(), |_| {});
    let subscriber = tracing_subscriber::registry().with(tracer.bridge());
    tracing::subscriber::set_global_default(subscriber).unwrap();
    let (start, mut made) = (Instant::now(), 0);
    while start.elapsed() < Duration::from_secs(6) {
        // One at a time, each sent before the next.
        drop(job(&tracer, "j1"));
        made += 1;
        settles(&tracer);
    }
    let stats = tracer.shutdown(LONG);
    closes(&stats);
    assert_eq!(stats.exported, stats.started, "{stats}");
    let names: Vec<_> = collector.spans().into_iter().map(|span| span.name).collect();
    assert_eq!(names.len(), made);
    assert!(
        names.iter().all(|name| name == "job renew"),
        "{:?}",
        names.iter().find(|name| *name != "job renew")
    );
}
