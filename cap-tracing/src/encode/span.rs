//! The encoding of one span (opentelemetry-proto, trace.proto and common.proto).

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};
use opentelemetry::{Array, KeyValue, Value};

use super::protobuf::Protobuf as _;
use crate::record::Record;

/// Bits of `SpanFlags` beside the flags of W3C Trace Context: the encoder knows whether the parent
/// or linked span is remote, and it is.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// `Span`
pub(super) fn span(out: &mut Vec<u8>, field: u8, record: &Record) {
    out.message::<2>(field, |out| {
        out.bytes(1, &record.context.trace_id().to_bytes());
        out.bytes(2, &record.context.span_id().to_bytes());
        state(out, 3, &record.context);
        if record.parent != SpanId::INVALID {
            out.bytes(4, &record.parent.to_bytes());
        }
        out.bytes_if_any(5, record.name.as_bytes());
        let kind = match record.kind {
            SpanKind::Internal => 1,
            SpanKind::Server => 2,
            SpanKind::Client => 3,
            SpanKind::Producer => 4,
            SpanKind::Consumer => 5,
        };
        out.integer(6, kind);
        out.fixed64(7, nanos(record.start));
        out.fixed64(8, nanos(record.end));
        attributes(out, 9, &record.attributes);
        out.integer_if_any(10, record.dropped.attributes.into());
        for it in &record.events {
            event(out, 11, it);
        }
        out.integer_if_any(12, record.dropped.events.into());
        for it in &record.links {
            link(out, 13, it);
        }
        out.integer_if_any(14, record.dropped.links.into());
        status(out, 15, &record.status);
        out.fixed32(16, flags(&record.context, record.parent_is_remote));
    });
}

fn event(out: &mut Vec<u8>, field: u8, event: &Event) {
    out.message::<1>(field, |out| {
        out.fixed64(1, nanos(event.timestamp));
        out.bytes_if_any(2, event.name.as_bytes());
        attributes(out, 3, &event.attributes);
        out.integer_if_any(4, event.dropped_attributes_count.into());
    });
}

fn link(out: &mut Vec<u8>, field: u8, link: &Link) {
    out.message::<1>(field, |out| {
        let to = &link.span_context;
        out.bytes(1, &to.trace_id().to_bytes());
        out.bytes(2, &to.span_id().to_bytes());
        state(out, 3, to);
        attributes(out, 4, &link.attributes);
        out.integer_if_any(5, link.dropped_attributes_count.into());
        out.fixed32(6, flags(to, to.is_remote()));
    });
}

fn status(out: &mut Vec<u8>, field: u8, status: &Status) {
    out.message::<1>(field, |out| match status {
        Status::Unset => {}
        Status::Ok => out.integer(3, 1),
        Status::Error { description } => {
            out.bytes_if_any(2, description.as_bytes());
            out.integer(3, 2);
        }
    });
}

fn state(out: &mut Vec<u8>, field: u8, context: &SpanContext) {
    let state = context.trace_state();
    // Few spans have a state, and formatting it is not free.
    if *state != opentelemetry::trace::TraceState::NONE {
        out.bytes_if_any(field, state.header().as_bytes());
    }
}

fn flags(context: &SpanContext, is_remote: bool) -> u32 {
    let remote = if is_remote { IS_REMOTE } else { 0 };
    u32::from(context.trace_flags().to_u8()) | HAS_IS_REMOTE | remote
}

fn attributes(out: &mut Vec<u8>, field: u8, attributes: &[KeyValue]) {
    for it in attributes {
        attribute(out, field, it);
    }
}

/// `KeyValue`
pub(super) fn attribute(out: &mut Vec<u8>, field: u8, attribute: &KeyValue) {
    out.message::<1>(field, |out| {
        out.bytes_if_any(1, attribute.key.as_str().as_bytes());
        out.message::<1>(2, |out| any(out, &attribute.value));
    });
}

/// `AnyValue`. A field of a `oneof` is written even if it is empty or 0.
fn any(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::String(text) => out.bytes(1, text.as_str().as_bytes()),
        Value::Bool(flag) => out.integer(2, u64::from(*flag)),
        Value::I64(number) => out.integer(3, number.cast_unsigned()),
        Value::F64(number) => out.fixed64(4, number.to_bits()),
        Value::Array(array) => out.message::<1>(5, |out| match array {
            Array::Bool(all) => values(out, all),
            Array::I64(all) => values(out, all),
            Array::F64(all) => values(out, all),
            Array::String(all) => values(out, all),
            _ => {}
        }),
        // A kind of value that a later version adds is written as text.
        other => out.bytes(1, other.as_str().as_bytes()),
    }
}

fn values<T: Clone + Into<Value>>(out: &mut Vec<u8>, values: &[T]) {
    for value in values {
        out.message::<1>(1, |out| any(out, &value.clone().into()));
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
