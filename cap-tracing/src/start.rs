//! How a span starts: whether it is sampled, and what it records from the start.

use std::borrow::Cow;
use std::sync::Arc;

use opentelemetry::trace::{SpanContext, SpanKind, Status, TraceContextExt as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use crate::record::{Dropped, Record};
use crate::recorder::Recorder;
use crate::sampling::RANDOM;
use crate::span::Span;
use crate::tracer::Tracer;

/// Room for the attributes that a span usually has when it ends, so that setting one does not move
/// the others.
pub(crate) const ATTRIBUTES: usize = 8;

/// What is known of a span when it starts.
pub(crate) struct SpanSpec {
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) attributes: Vec<KeyValue>,
}

impl Tracer {
    /// Starts a span under `parent`. `spec` runs only if the span is recorded.
    pub(crate) fn open(&self, parent: Context, spec: impl FnOnce() -> SpanSpec) -> Span {
        let span = parent.span();
        let upstream = span.span_context();
        let Some(active) = self.active().filter(|_| {
            !(upstream.is_valid() && !upstream.is_sampled() || parent.is_telemetry_suppressed())
        }) else {
            return Span::non_recording(parent);
        };
        let ids = RandomIdGenerator::default();
        let (trace_id, flags) = if upstream.is_valid() {
            (upstream.trace_id(), upstream.trace_flags())
        } else {
            let trace_id = ids.new_trace_id();
            if !active.sampler.samples(trace_id) {
                return Span::unsampled_root(parent, trace_id);
            }
            (trace_id, RANDOM)
        };
        let SpanSpec { kind, name, attributes } = spec();
        let start = opentelemetry::time::now();
        let record = Record {
            context: SpanContext::new(
                trace_id,
                ids.new_span_id(),
                flags.with_sampled(true),
                false,
                upstream.trace_state().clone(),
            ),
            parent: upstream.span_id(),
            parent_is_remote: upstream.is_remote(),
            kind: kind.clone(),
            name,
            start,
            end: start,
            attributes,
            events: Vec::new(),
            links: Vec::new(),
            dropped: Dropped::default(),
            status: Status::Unset,
        };
        let recorder = Recorder::start(record, Arc::clone(&active.queue));
        Span::recorded(parent.with_span(recorder), kind)
    }
}
