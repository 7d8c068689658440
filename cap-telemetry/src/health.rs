//! The pipelines' own health, as metrics and as trace ids of exemplars.

use cap_egress::Guard;
use cap_metrics::{ExemplarIds, PipelineTotals, SpanTotals};
use cap_tracing::Tracer;

use crate::audit::Audit;

/// What the pipelines counted up to now.
pub(crate) fn totals(tracer: Option<&Tracer>, audit: &Audit, guard: &Guard) -> PipelineTotals {
    let mut totals = PipelineTotals::default();
    totals.egress = Some(guard.denials().into_iter().collect());
    totals.spans = tracer.map(Tracer::stats).map(|spans| {
        let mut totals = SpanTotals::default();
        totals.started = spans.started;
        totals.exported = spans.exported;
        totals.rejected = spans.rejected;
        totals.dropped = spans.dropped;
        totals.failed = spans.failed;
        totals.pending = spans.pending;
        totals
    });
    totals.audit = audit.totals();
    totals
}

/// The ids of the sampled span that the calling thread is in.
pub(crate) fn current_trace() -> Option<ExemplarIds> {
    let ids = cap_tracing::current_span_ids()?;
    Some(ExemplarIds { trace_id: ids.trace_id(), span_id: ids.span_id() })
}
