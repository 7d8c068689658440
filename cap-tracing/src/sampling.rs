//! The sampling of traces that no upstream has decided.

use std::sync::atomic::{AtomicU64, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{
    SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState,
};
use opentelemetry_sdk::trace::{IdGenerator as _, RandomIdGenerator};

use crate::config::SampleRate;

/// Trace ids made here are random in all their bits (W3C Trace Context level 2, 3.2.2.5.2 Random
/// Trace ID Flag).
pub(crate) const RANDOM: TraceFlags = TraceFlags::new(0x02);

/// The rate as a bound: a trace is sampled if the last 63 bits of its id are below it. The SDK
/// decides in the same way, so services with the same rate decide alike on the same trace.
#[derive(Debug)]
pub(crate) struct Sampler(AtomicU64);

impl Sampler {
    pub(crate) fn new(rate: SampleRate) -> Self {
        Self(AtomicU64::new(bound(rate)))
    }

    pub(crate) fn set(&self, rate: SampleRate) {
        self.0.store(bound(rate), Ordering::Relaxed);
    }

    /// The rate, exact to within 2^-63.
    pub(crate) fn rate(&self) -> SampleRate {
        SampleRate::clamped(self.0.load(Ordering::Relaxed) as f64 / (1_u64 << 63) as f64)
    }

    pub(crate) fn samples(&self, trace: TraceId) -> bool {
        let [.., a, b, c, d, e, f, g, h] = trace.to_bytes();
        u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 1 < self.0.load(Ordering::Relaxed)
    }

    /// Decides in place of an upstream that may not decide here. The trace goes on. A random number
    /// decides, because the upstream chose the trace id.
    pub(crate) fn decide_anew(&self, upstream: &Context) -> Context {
        let span = upstream.span();
        let theirs = span.span_context();
        if !theirs.is_valid() {
            return upstream.clone();
        }
        let ids = RandomIdGenerator::default();
        let sampled = self.samples(ids.new_trace_id());
        // Who changes the flag also changes the parent-id (W3C Trace Context level 2, 3.4 Mutating
        // the traceparent Field).
        let span_id = if sampled { theirs.span_id() } else { ids.new_span_id() };
        upstream.with_remote_span_context(SpanContext::new(
            theirs.trace_id(),
            span_id,
            theirs.trace_flags().with_sampled(sampled),
            true,
            theirs.trace_state().clone(),
        ))
    }
}

/// The context of an unsampled root. Nobody looks for its span id, so it is not drawn: it is the
/// half of the trace id that did not decide.
pub(crate) fn unsampled_root(trace_id: TraceId) -> SpanContext {
    let [a, b, c, d, e, f, g, h, ..] = trace_id.to_bytes();
    // A span id of zeros is invalid (W3C Trace Context level 2, 3.2.2.4 parent-id).
    let span_id = SpanId::from(u64::from_be_bytes([a, b, c, d, e, f, g, h]).max(1));
    SpanContext::new(trace_id, span_id, RANDOM, false, TraceState::NONE)
}

fn bound(rate: SampleRate) -> u64 {
    (rate.get() * (1_u64 << 63) as f64) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_the_share_of_trace_ids_and_changes_while_running() {
        let sampler = Sampler::new(SampleRate::default());
        let ids = RandomIdGenerator::default();
        for (rate, least, most) in [("0", 0, 0), ("0.25", 2200, 2800), ("1", 10_000, 10_000)] {
            sampler.set(rate.parse().expect("a rate"));
            assert_eq!(sampler.rate(), rate.parse().expect("a rate"));
            let sampled = (0..10_000).filter(|_| sampler.samples(ids.new_trace_id()));
            let sampled = sampled.count();
            assert!((least..=most).contains(&sampled), "{rate}: {sampled}");
        }
        sampler.set(SampleRate::default());
        assert_eq!(sampler.rate(), SampleRate::default());
        sampler.set(SampleRate::ALL);
        assert!(sampler.samples(TraceId::from(u128::MAX)));
    }
}
