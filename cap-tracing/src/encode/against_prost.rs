//! The encoding, read back by the code that is generated from OTLP's own definitions, equals the
//! SDK's conversion of the same span.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status, TraceFlags};
use opentelemetry::trace::{TraceId, TraceState};
use opentelemetry::{Array, InstrumentationScope, KeyValue, StringValue, Value};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::transform::common::tonic::ResourceAttributesWithSchema;
use opentelemetry_proto::transform::trace::tonic::group_spans_by_resource_and_scope;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use prost::Message as _;

use super::Encoder;
use crate::config::Config;
use crate::queue::Queue;
use crate::record::{Dropped, Record};

/// Lengths of text around which the encoded length grows by one byte.
const LENGTHS: [usize; 9] = [0, 1, 100, 127, 128, 129, 16_380, 16_384, 70_000];

fn context(n: u8, state: &str, remote: bool) -> SpanContext {
    let state = match state {
        "" => TraceState::NONE,
        state => state.parse().expect("a tracestate"),
    };
    let (trace_id, span_id) = (TraceId::from_bytes([n; 16]), SpanId::from_bytes([n; 8]));
    SpanContext::new(trace_id, span_id, TraceFlags::new(n), remote, state)
}

fn attributes(length: usize) -> Vec<KeyValue> {
    let text = "é".repeat(length / 2);
    let texts: Vec<StringValue> = vec!["".into(), text.clone().into()];
    vec![
        KeyValue::new("text", text.clone()),
        KeyValue::new(text, "under a long key"),
        KeyValue::new("", ""),
        KeyValue::new("least", i64::MIN),
        KeyValue::new("most", i64::MAX),
        KeyValue::new("zero", 0),
        KeyValue::new("no", false),
        KeyValue::new("yes", true),
        KeyValue::new("float", -0.1),
        KeyValue::new("texts", Value::Array(Array::String(texts))),
        KeyValue::new("numbers", Value::Array(Array::I64(vec![-1, 0, 1]))),
        KeyValue::new("floats", Value::Array(Array::F64(vec![0.0, 1e300]))),
        KeyValue::new("flags", Value::Array(Array::Bool(vec![true, false]))),
        KeyValue::new("none", Value::Array(Array::Bool(Vec::new()))),
    ]
}

fn record(length: usize, at: SystemTime, (kind, status): (SpanKind, Status)) -> Record {
    let long = "n".repeat(length);
    Record {
        context: context(3, "vendor=1,other=2", false),
        parent: match length {
            0 => SpanId::INVALID,
            _ => SpanId::from_bytes([9; 8]),
        },
        parent_is_remote: length.is_multiple_of(2),
        kind,
        name: long.clone().into(),
        start: at,
        end: at + Duration::from_nanos(length as u64),
        attributes: attributes(length),
        events: vec![
            Event::new(long, at, attributes(length), length as u32),
            Event::new("", at, Vec::new(), 0),
        ],
        links: vec![
            Link::new(context(4, "a=b", true), attributes(length), 1),
            Link::new(context(5, "", false), Vec::new(), 0),
        ],
        dropped: Dropped { attributes: length as u32, events: u32::MAX, links: 0 },
        status,
    }
}

/// The record as the SDK represents it.
fn as_the_sdk(record: &Record) -> SpanData {
    let mut events = SpanEvents::default();
    events.events.clone_from(&record.events);
    events.dropped_count = record.dropped.events;
    let mut links = SpanLinks::default();
    links.links.clone_from(&record.links);
    links.dropped_count = record.dropped.links;
    SpanData {
        span_context: record.context.clone(),
        parent_span_id: record.parent,
        parent_span_is_remote: record.parent_is_remote,
        span_kind: record.kind.clone(),
        name: record.name.clone(),
        start_time: record.start,
        end_time: record.end,
        attributes: record.attributes.clone(),
        dropped_attributes_count: record.dropped.attributes,
        events,
        links,
        status: record.status.clone(),
        instrumentation_scope: InstrumentationScope::builder("cap-tracing")
            .with_version(env!("CARGO_PKG_VERSION"))
            .build(),
    }
}

fn check(resource: &[(String, String)], records: Vec<Record>) {
    let mut config = Config::new("http://collector".parse().expect("an endpoint"));
    config.resource = resource.iter().cloned().collect();
    let pairs = resource.iter();
    let pairs = pairs.map(|(key, value)| KeyValue::new(key.clone(), value.clone()));
    let theirs = Resource::builder_empty().with_attributes(pairs).build();
    let spans = records.iter().map(as_the_sdk).collect();
    let theirs =
        group_spans_by_resource_and_scope(spans, &ResourceAttributesWithSchema::from(&theirs));
    let encoder = Encoder::new(&config);
    let (counts, count) = (Arc::default(), records.len());
    let queue = Queue::new(counts, encoder.room(), count, count);
    records.iter().for_each(|record| queue.push(record));
    let bytes = encoder.encode(queue.take().expect("a batch"));
    let mut ours = ExportTraceServiceRequest::decode(bytes).expect("a request");
    // The SDK keeps these in a map without an order.
    for request in &mut ours.resource_spans {
        let attributes = &mut request.resource.as_mut().expect("a resource").attributes;
        attributes.sort_by(|one, other| one.key.cmp(&other.key));
    }
    let mut theirs = theirs;
    for request in &mut theirs {
        let attributes = &mut request.resource.as_mut().expect("a resource").attributes;
        attributes.sort_by(|one, other| one.key.cmp(&other.key));
    }
    assert_eq!(ours.resource_spans, theirs);
}

#[test]
fn every_field_of_a_span_is_read_back_equal_whatever_its_length() {
    let kinds = [
        SpanKind::Internal,
        SpanKind::Server,
        SpanKind::Client,
        SpanKind::Producer,
        SpanKind::Consumer,
    ];
    let statuses = [Status::Unset, Status::Ok, Status::error("gave up")];
    let natures = kinds.into_iter().zip(statuses.into_iter().cycle());
    let natures: Vec<_> = natures.collect();
    let at = SystemTime::UNIX_EPOCH + Duration::new(1_764_000_000, 123_456_789);
    let resource = [
        ("service.name".to_owned(), "certautopilot".to_owned()),
        ("long".to_owned(), "r".repeat(300)),
    ];
    for length in LENGTHS {
        for nature in &natures {
            check(&resource, vec![record(length, at, nature.clone())]);
        }
    }
    let all = LENGTHS.iter().zip(natures.iter().cycle());
    let all = all.map(|(length, nature)| record(*length, at, nature.clone()));
    check(&resource, all.collect());
    check(&[], vec![record(1, at, natures[0].clone())]);
}

#[test]
fn a_clock_before_1970_does_not_stop_anything() {
    let before = SystemTime::UNIX_EPOCH - Duration::from_secs(1);
    check(&[], vec![record(1, before, (SpanKind::Internal, Status::Unset))]);
}
