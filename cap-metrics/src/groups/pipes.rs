//! The health of the pipes themselves.

use std::time::Duration;

use crate::Metrics;

/// Records what the trace and audit pipes say of themselves. Meant for a `before_scrape` hook.
#[derive(Clone, Copy, Debug)]
pub struct Pipes<'a>(pub(crate) &'a Metrics);

/// Totals of the trace and audit pipes since they started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)] // each field is the metric `cap_telemetry_<field>`, described in the catalogue
pub struct PipeTotals {
    pub spans_started: u64,
    pub spans_exported: u64,
    pub spans_rejected: u64,
    pub spans_dropped: u64,
    pub spans_failed: u64,
    pub spans_pending: u64,
    pub audit_events_enqueued: u64,
    pub audit_events_acked: u64,
    pub audit_events_dropped: u64,
    pub audit_events_queued: u64,
    pub syslog_connected: bool,
}

impl Pipes<'_> {
    /// Replaces the totals.
    pub fn set(&self, totals: &PipeTotals) {
        let pipes = &self.0.inner.families.pipes;
        for (family, value) in [
            (&pipes.spans_started, totals.spans_started),
            (&pipes.spans_exported, totals.spans_exported),
            (&pipes.spans_rejected, totals.spans_rejected),
            (&pipes.spans_dropped, totals.spans_dropped),
            (&pipes.spans_failed, totals.spans_failed),
            (&pipes.spans_pending, totals.spans_pending),
            (&pipes.audit_enqueued, totals.audit_events_enqueued),
            (&pipes.audit_acked, totals.audit_events_acked),
            (&pipes.audit_dropped, totals.audit_events_dropped),
            (&pipes.audit_queued, totals.audit_events_queued),
            (&pipes.syslog_connected, u64::from(totals.syslog_connected)),
        ] {
            family.set(value as f64);
        }
    }

    pub(crate) fn scraped_in(&self, took: Duration) {
        let pipes = &self.0.inner.families.pipes;
        pipes.scrape_duration.set(took.as_secs_f64());
    }

    pub(crate) fn folded(&self, families: impl Iterator<Item = (&'static str, u64)>) {
        let rows = families
            .filter(|(_, folded)| *folded > 0)
            .map(|(name, folded)| ([name], folded as f64));
        self.0.inner.families.pipes.folded.replace(rows);
    }
}
