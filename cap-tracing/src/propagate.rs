//! Context in and out: W3C Trace Context level 2 and W3C Baggage, over headers and over OpenTelemetry's carriers.

mod baggage;
pub(crate) mod traceparent;
mod tracestate;

use std::borrow::Cow;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::text_map_propagator::FieldIter;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry::trace::{SpanContext, TraceContextExt as _, TraceState};

use tracestate::Received;

pub(crate) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
pub(crate) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
pub(crate) const BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// Who receives a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Our own services, or a third party that is to get what they get: trace context and baggage.
    Internal,
    /// Somebody else's API (ACME, DNS, MSCA): trace context alone.
    ThirdParty,
}

/// The context in the headers of a request: the trace, if there is one valid `traceparent`, and the baggage. What came in goes out
/// again unchanged, where nothing is recorded in between.
pub fn extract(headers: &HeaderMap) -> Context {
    let all = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    read(
        &Context::new(),
        all(TRACEPARENT),
        all(TRACESTATE),
        all(BAGGAGE),
    )
}

/// Sets the headers of an outgoing request; those of a context that stood there before are removed, whoever wrote them.
pub fn inject(context: &Context, headers: &mut HeaderMap, audience: Audience) {
    for name in [TRACEPARENT, TRACESTATE, BAGGAGE] {
        headers.remove(name);
    }
    write(context, audience, &mut |name, value| {
        // Of visible ASCII: a value of anything else is not made.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        }
    });
}

/// The same rules for carriers other than headers, behind OpenTelemetry's own trait: for message queues, and as the global
/// propagator of libraries that ask for one. Its audience is [`Audience::Internal`], unless told otherwise.
#[derive(Clone, Copy)]
pub struct Propagator(Audience);

impl Propagator {
    /// A propagator that writes for this audience.
    pub const fn new(audience: Audience) -> Self {
        Propagator(audience)
    }
}

impl Default for Propagator {
    fn default() -> Self {
        Propagator(Audience::Internal)
    }
}

impl fmt::Debug for Propagator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Propagator").field(&self.0).finish()
    }
}

impl TextMapPropagator for Propagator {
    fn inject_context(&self, context: &Context, into: &mut dyn Injector) {
        write(context, self.0, &mut |name, value| {
            into.set(name.as_str(), value.to_owned());
        });
    }

    fn extract_with_context(&self, context: &Context, from: &dyn Extractor) -> Context {
        let [traceparent, tracestate, baggage] = [TRACEPARENT, TRACESTATE, BAGGAGE]
            .map(|name| from.get_all(name.as_str()).unwrap_or_default());
        read(
            context,
            traceparent.into_iter().map(str::as_bytes),
            tracestate.into_iter().map(str::as_bytes),
            baggage.into_iter().map(str::as_bytes),
        )
    }

    fn fields(&self) -> FieldIter<'_> {
        static FIELDS: std::sync::LazyLock<[String; 3]> = std::sync::LazyLock::new(|| {
            [TRACEPARENT, TRACESTATE, BAGGAGE].map(|name| name.as_str().to_owned())
        });
        FieldIter::new(&FIELDS[..])
    }
}

/// Everything that came under each of the three names, in the order in which it came.
fn read<'a>(
    context: &Context,
    mut traceparent: impl Iterator<Item = &'a [u8]>,
    tracestate: impl Iterator<Item = &'a [u8]>,
    baggage: impl Iterator<Item = &'a [u8]>,
) -> Context {
    let mut context = context.clone();
    // Two are as good as none (level 2, 3.2 Traceparent Header: it is one field with one value), and without a valid one tracestate
    // is not looked at (level 2, 3.3).
    if let (Some(only), None) = (traceparent.next(), traceparent.next())
        && let Some((trace_id, span_id, flags)) = traceparent::parse(only)
    {
        let (state, received) = match tracestate::parse(tracestate) {
            None => (TraceState::NONE, None),
            Some(list) => list.for_context(trace_id, span_id),
        };
        let upstream = SpanContext::new(trace_id, span_id, flags, true, state);
        context = context.with_remote_span_context(upstream);
        if let Some(received) = received {
            context = context.with_value(received);
        }
    }
    baggage::read(context, baggage)
}

fn write(context: &Context, audience: Audience, set: &mut dyn FnMut(HeaderName, &str)) {
    let span = context.span();
    let ids = span.span_context();
    if ids.is_valid() {
        set(TRACEPARENT, traceparent::format(ids).as_str());
        let state = tracestate_of(context, ids);
        if !state.is_empty() {
            set(TRACESTATE, &state);
        }
    }
    if audience == Audience::Internal {
        let baggage = baggage::written(context);
        if !baggage.is_empty() {
            set(BAGGAGE, &baggage);
        }
    }
}

/// The tracestate to send for a span: as it came where the span is the one that came, otherwise in its own order and without what
/// means nothing.
pub(crate) fn tracestate_of<'a>(context: &'a Context, ids: &SpanContext) -> Cow<'a, str> {
    let kept = ids.trace_state().header();
    if let Some(received) = context.get::<Received>()
        && let Some(state) = received.for_span(ids, &kept)
    {
        return state.into();
    }
    kept.into()
}
