//! The health of the telemetry pipelines.

use std::sync::Arc;
use std::time::Duration;

use cap_names::{ClosedEnum as _, DenialClass};

use crate::registry::Registry;

/// Records the state of the trace and audit pipelines, usually in a `before_scrape` hook.
#[derive(Clone, Copy, Debug)]
pub struct Pipelines<'a>(pub(crate) &'a Arc<Registry>);

/// Totals of the trace and audit pipelines since they started. A pipeline that is off is `None` and
/// exposes nothing, so that it does not look disconnected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PipelineTotals {
    /// The trace pipeline.
    pub spans: Option<SpanTotals>,
    /// The audit pipeline.
    pub audit: Option<AuditTotals>,
    /// The egress policy.
    pub egress: Option<EgressTotals>,
}

/// Totals of the trace pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // each field is the metric `cap_telemetry_spans_<field>`, described in the catalogue
pub struct SpanTotals {
    pub started: u64,
    pub exported: u64,
    pub rejected: u64,
    pub dropped: u64,
    pub failed: u64,
    pub pending: u64,
}

/// Totals of the audit pipeline.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
#[allow(missing_docs)] // each field is the metric `cap_telemetry_audit_events_<field>`, described in the catalogue
pub struct AuditTotals {
    pub enqueued: u64,
    pub delivered: u64,
    pub dropped: u64,
    pub quarantined: u64,
    pub queued: u64,
    /// `cap_telemetry_syslog_connected`.
    pub connected: bool,
}

/// Connections that the egress policy refused, by class. A class that is not named counts 0.
///
/// ```
/// use cap_metrics::{DenialClass, EgressTotals};
///
/// let denied = [(DenialClass::Metadata, 2), (DenialClass::Name, 1)];
/// let totals: EgressTotals = denied.into_iter().collect();
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EgressTotals([u64; DenialClass::ALL.len()]);

impl FromIterator<(DenialClass, u64)> for EgressTotals {
    fn from_iter<I: IntoIterator<Item = (DenialClass, u64)>>(denied: I) -> Self {
        let mut totals = EgressTotals::default();
        for (class, count) in denied {
            totals.0[class.index()] += count;
        }
        totals
    }
}

impl Pipelines<'_> {
    /// Replaces the totals.
    pub fn set(&self, totals: &PipelineTotals) {
        let pipelines = &self.0.families.pipelines;
        let spans = totals.spans;
        let audit = totals.audit;
        for (family, value) in [
            (&pipelines.spans_started, spans.map(|spans| spans.started)),
            (&pipelines.spans_exported, spans.map(|spans| spans.exported)),
            (&pipelines.spans_rejected, spans.map(|spans| spans.rejected)),
            (&pipelines.spans_dropped, spans.map(|spans| spans.dropped)),
            (&pipelines.spans_failed, spans.map(|spans| spans.failed)),
            (&pipelines.spans_pending, spans.map(|spans| spans.pending)),
            (&pipelines.audit_enqueued, audit.map(|audit| audit.enqueued)),
            (&pipelines.audit_delivered, audit.map(|audit| audit.delivered)),
            (&pipelines.audit_dropped, audit.map(|audit| audit.dropped)),
            (&pipelines.audit_quarantined, audit.map(|audit| audit.quarantined)),
            (&pipelines.audit_queued, audit.map(|audit| audit.queued)),
            (&pipelines.syslog_connected, audit.map(|audit| u64::from(audit.connected))),
        ] {
            match value {
                Some(value) => family.set(value as f64),
                None => family.clear(),
            }
        }
        let denied = totals.egress.iter().flat_map(|egress| {
            DenialClass::ALL.iter().map(|class| ([class.as_str()], egress.0[class.index()] as f64))
        });
        pipelines.egress_denied.replace(denied);
    }

    /// Sets the time that a scrape took, and how many families it left out.
    pub(crate) fn set_scrape(&self, took: Duration, skipped: u64) {
        let pipelines = &self.0.families.pipelines;
        pipelines.scrape_duration.set(took.as_secs_f64());
        pipelines.families_skipped.set(skipped as f64);
    }

    /// Replaces how many recordings went into the overflow series of each family.
    pub(crate) fn set_overflowed(&self, families: impl Iterator<Item = (&'static str, u64)>) {
        let rows = families
            .filter(|(_, overflowed)| *overflowed > 0)
            .map(|(name, overflowed)| ([name], overflowed as f64));
        self.0.families.pipelines.series_folded.replace(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn every_denial_class_is_zero_from_the_start() {
        let metrics = Metrics::new();
        let text = || {
            let text = metrics.render();
            let denied =
                text.lines().filter(|line| line.starts_with("cap_telemetry_egress_denied_total"));
            denied.map(str::to_owned).collect::<Vec<_>>()
        };
        assert!(text().is_empty(), "no guard, no series");
        metrics.pipelines().set(&PipelineTotals {
            egress: Some([(DenialClass::Metadata, 3)].into_iter().collect()),
            ..PipelineTotals::default()
        });
        let text = text();
        assert_eq!(text.len(), DenialClass::ALL.len());
        for line in [r#"{class="metadata"} 3"#, r#"{class="private"} 0"#] {
            assert!(text.iter().any(|is| is.ends_with(line)), "{text:?}");
        }
    }
}
