//! Context in and out: W3C Trace Context level 2 and W3C Baggage, in headers and in OpenTelemetry's
//! carriers.

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
    /// Services of the product, and third parties that should receive the same: trace context and
    /// baggage.
    Internal,
    /// APIs of others (ACME, DNS, MSCA): trace context without baggage.
    ThirdParty,
}

/// Reads the context from the headers of a request: the trace, if there is exactly one valid
/// `traceparent`, and the baggage. If nothing is recorded in between, the same headers go out with
/// a call.
pub fn extract(headers: &HeaderMap) -> Context {
    let all = |name| headers.get_all(name).iter().map(HeaderValue::as_bytes);
    read(&Context::new(), all(TRACEPARENT), all(TRACESTATE), all(BAGGAGE))
}

/// Sets the headers of an outgoing request, and removes those of an earlier context.
pub fn inject(context: &Context, headers: &mut HeaderMap, audience: Audience) {
    for name in [TRACEPARENT, TRACESTATE, BAGGAGE] {
        headers.remove(name);
    }
    write(context, audience, &mut |name, value| {
        // Every value is visible ASCII.
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(name, value);
        }
    });
}

/// Implements OpenTelemetry's `TextMapPropagator` with the rules of [`extract`] and [`inject`], for
/// message queues and for libraries that take a propagator. The default audience is
/// [`Audience::Internal`].
#[derive(Clone, Copy)]
pub struct Propagator(Audience);

impl Propagator {
    /// A propagator that writes for this audience.
    pub const fn new(audience: Audience) -> Self {
        Self(audience)
    }
}

impl Default for Propagator {
    fn default() -> Self {
        Self(Audience::Internal)
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

/// Takes all values of each header, in the order in which they came.
fn read<'a>(
    context: &Context,
    mut traceparent: impl Iterator<Item = &'a [u8]>,
    tracestate: impl Iterator<Item = &'a [u8]>,
    baggage: impl Iterator<Item = &'a [u8]>,
) -> Context {
    let mut context = context.clone();
    // Two traceparents count as none (level 2, 3.2 Traceparent Header: one field with one value).
    // Without a valid traceparent, tracestate is not read (level 2, 3.3).
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

/// The tracestate to send for a span. For the span that came in, it is the state that came in;
/// otherwise the span's own members, without invalid ones.
pub(crate) fn tracestate_of<'a>(context: &'a Context, ids: &SpanContext) -> Cow<'a, str> {
    let kept = ids.trace_state().header();
    if let Some(received) = context.get::<Received>()
        && let Some(state) = received.for_span(ids, &kept)
    {
        return state.into();
    }
    kept.into()
}
