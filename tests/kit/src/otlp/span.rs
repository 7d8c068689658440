//! A span as a receiver got it, in terms a test can compare: hex ids, attributes as text.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// A received span.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReceivedSpan {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits; none for a root span.
    pub parent_span_id: Option<String>,
    /// The `tracestate` header's value, empty when there was none.
    pub trace_state: String,
    /// The W3C trace flags and OTLP's two bits: 0x100 (remoteness is known) and 0x200 (remote).
    pub flags: u32,
    /// Name.
    pub name: String,
    /// `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
    pub kind: &'static str,
    /// Name of the instrumentation scope.
    pub scope: String,
    /// Attributes; numbers and booleans in their usual notation, arrays as `[a, b]`.
    pub attributes: BTreeMap<String, String>,
    /// How many attributes the sender left out.
    pub dropped_attributes: u32,
    /// Attributes of the resource.
    pub resource: BTreeMap<String, String>,
    /// The message of a status Error, which may be empty.
    pub error: Option<String>,
    /// Events, in the order received.
    pub events: Vec<ReceivedEvent>,
    /// How many events the sender left out.
    pub dropped_events: u32,
    /// Links, in the order received.
    pub links: Vec<ReceivedLink>,
    /// Start, in nanoseconds since 1970.
    pub start_nanos: u64,
    /// End, in nanoseconds since 1970.
    pub end_nanos: u64,
}

/// An event of a received span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedEvent {
    /// Name.
    pub name: String,
    /// When, in nanoseconds since 1970.
    pub nanos: u64,
    /// Attributes, as those of the span.
    pub attributes: BTreeMap<String, String>,
}

/// A link of a received span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedLink {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// Attributes, as those of the span.
    pub attributes: BTreeMap<String, String>,
}

impl ReceivedSpan {
    /// How long the span lasted.
    pub fn duration(&self) -> Duration {
        Duration::from_nanos(self.end_nanos.saturating_sub(self.start_nanos))
    }

    /// An attribute of the span.
    pub fn attribute(&self, key: &str) -> Option<&str> {
        self.attributes.get(key).map(String::as_str)
    }
}

/// The spans of one export request, or why it is invalid.
pub(crate) fn received(request: ExportTraceServiceRequest) -> Result<Vec<ReceivedSpan>, String> {
    let mut spans = Vec::new();
    for ResourceSpans { resource, scope_spans, .. } in request.resource_spans {
        let resource = attributes(&resource.unwrap_or_default().attributes)?;
        for batch in scope_spans {
            let scope = batch.scope.unwrap_or_default().name;
            for span in batch.spans {
                spans.push(one(span, &scope, &resource)?);
            }
        }
    }
    Ok(spans)
}

fn one(
    span: Span,
    scope: &str,
    resource: &BTreeMap<String, String>,
) -> Result<ReceivedSpan, String> {
    let kind = match SpanKind::try_from(span.kind) {
        Ok(SpanKind::Unspecified) => "unspecified",
        Ok(SpanKind::Internal) => "internal",
        Ok(SpanKind::Server) => "server",
        Ok(SpanKind::Client) => "client",
        Ok(SpanKind::Producer) => "producer",
        Ok(SpanKind::Consumer) => "consumer",
        Err(_) => return Err(format!("span kind {}", span.kind)),
    };
    let status = span.status.unwrap_or_default();
    let failed = status.code == StatusCode::Error as i32;
    Ok(ReceivedSpan {
        trace_id: id(&span.trace_id, 16)?,
        span_id: id(&span.span_id, 8)?,
        parent_span_id: match span.parent_span_id.as_slice() {
            [] => None,
            parent => Some(id(parent, 8)?),
        },
        trace_state: span.trace_state,
        flags: span.flags,
        name: span.name,
        kind,
        scope: scope.to_owned(),
        attributes: attributes(&span.attributes)?,
        dropped_attributes: span.dropped_attributes_count,
        resource: resource.clone(),
        error: failed.then_some(status.message),
        events: (span.events.into_iter())
            .map(|event| {
                Ok(ReceivedEvent {
                    attributes: attributes(&event.attributes)?,
                    name: event.name,
                    nanos: event.time_unix_nano,
                })
            })
            .collect::<Result<_, String>>()?,
        dropped_events: span.dropped_events_count,
        links: (span.links.into_iter())
            .map(|link| {
                Ok(ReceivedLink {
                    trace_id: id(&link.trace_id, 16)?,
                    span_id: id(&link.span_id, 8)?,
                    attributes: attributes(&link.attributes)?,
                })
            })
            .collect::<Result<_, String>>()?,
        start_nanos: span.start_time_unix_nano,
        end_nanos: span.end_time_unix_nano,
    })
}

fn id(bytes: &[u8], len: usize) -> Result<String, String> {
    if bytes.len() != len || bytes.iter().all(|byte| *byte == 0) {
        return Err(format!("an id of {len} bytes is {}", hex(bytes)));
    }
    Ok(hex(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("a String takes every write");
        hex
    })
}

fn attributes(pairs: &[KeyValue]) -> Result<BTreeMap<String, String>, String> {
    let mut attributes = BTreeMap::new();
    for pair in pairs {
        if attributes.insert(pair.key.clone(), text(pair.value.as_ref())).is_some() {
            return Err(format!("the attribute {} is there twice", pair.key));
        }
    }
    Ok(attributes)
}

fn text(value: Option<&AnyValue>) -> String {
    match value.and_then(|value| value.value.as_ref()) {
        None => String::new(),
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::BoolValue(flag)) => flag.to_string(),
        Some(Value::IntValue(number)) => number.to_string(),
        Some(Value::DoubleValue(number)) => number.to_string(),
        Some(Value::BytesValue(bytes)) => hex(bytes),
        Some(Value::ArrayValue(array)) => {
            let items: Vec<_> = array.values.iter().map(|item| text(Some(item))).collect();
            format!("[{}]", items.join(", "))
        }
        Some(Value::KvlistValue(list)) => {
            let items: Vec<_> = (list.values.iter())
                .map(|pair| format!("{}={}", pair.key, text(pair.value.as_ref())))
                .collect();
            format!("{{{}}}", items.join(", "))
        }
        Some(other) => format!("{other:?}"),
    }
}
