//! The ids of a sampled span, as bytes and as text.

use opentelemetry::trace::{SpanContext, SpanId, TraceId};

use crate::propagate::traceparent::write_hex;

/// Trace id and span id of a sampled span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanIds {
    trace_id: TraceId,
    span_id: SpanId,
}

impl SpanIds {
    /// `None` where the span is not sampled.
    pub(crate) fn sampled(span: &SpanContext) -> Option<Self> {
        span.is_sampled().then(|| Self { trace_id: span.trace_id(), span_id: span.span_id() })
    }

    /// The trace id, most significant byte first.
    pub fn trace_id(&self) -> [u8; 16] {
        self.trace_id.to_bytes()
    }

    /// The span id, most significant byte first.
    pub fn span_id(&self) -> [u8; 8] {
        self.span_id.to_bytes()
    }

    /// The trace id as 32 lower-case hexadecimal digits.
    pub fn trace_id_hex(&self) -> String {
        hex::<32>(&self.trace_id())
    }

    /// The span id as 16 lower-case hexadecimal digits.
    pub fn span_id_hex(&self) -> String {
        hex::<16>(&self.span_id())
    }
}

fn hex<const DIGITS: usize>(bytes: &[u8]) -> String {
    let mut digits = [0; DIGITS];
    write_hex(&mut digits, bytes);
    std::str::from_utf8(&digits).unwrap_or_default().to_owned()
}
