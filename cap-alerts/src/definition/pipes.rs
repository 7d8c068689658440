//! Alerts on the signal pipes themselves.

use super::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::new(
            "AuditEventsDropped",
            "sum by ($GROUP) (increase(cap_telemetry_audit_events_dropped_total[$WINDOW])) > $THRESHOLD",
        )
        .threshold("0")
        .event("30m")
        .hold("15m")
        .says(
            "Audit events are missing in the SIEM",
            "Audit events dropped in the last $WINDOW because the buffer was full: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "The relay was away or slow for so long that the buffer filled, and the oldest events were dropped.",
            "The SIEM's archive has a hole, until a process with backfill has filled it (`backfilled` in its status). The primary audit log is complete.",
            [("What the buffers hold", "sum(cap_telemetry_audit_events_queued)".into())],
            "Repair the relay or the way to it. The event syslog.gap says which events are missing: replay them from the audit log. \
             Raise syslog.buffer_size if the relay's restarts take that long.",
        ),
        Definition::new(
            "AuditRelayDisconnected",
            "min by ($GROUP) (last_over_time(cap_telemetry_syslog_connected[$WINDOW])) == 0",
        )
        .past("10m")
        .hold("15m")
        .says(
            "The syslog relay is not connected",
            "At least one replica has no connection to the syslog relay.",
        )
        .runbook(
            "A replica forwards audit events to a relay, and has no connection to it.",
            "Events wait in the buffer; when it is full, the oldest are dropped.",
            [
                ("Which replica", "min by (instance) (cap_telemetry_syslog_connected) == 0".into()),
                ("What the buffers hold", "sum by (instance) (cap_telemetry_audit_events_queued)".into()),
            ],
            "Use Test in the syslog settings: it says which stage fails. Check that egress to the relay's port is allowed.",
        ),
        Definition::new(
            "SpansDropped",
            "sum by ($GROUP) (increase(cap_telemetry_spans_dropped_total[$WINDOW])) > $THRESHOLD",
        )
        .threshold("0")
        .event("30m")
        .hold("15m")
        .says(
            "Spans are dropped",
            "Spans dropped in the last $WINDOW because the queue was full: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "Spans ended faster than the collector took them.",
            "Traces have holes.",
            [("Spans waiting", "sum by (instance) (cap_telemetry_spans_pending)".into())],
            "Lower telemetry.tracing.sample_rate, raise queue_size, or give the collector more room.",
        ),
        Definition::new(
            "SpanExportFailing",
            r#"sum by ($GROUP) (increase(cap_telemetry_spans_failed_total[$WINDOW]))
+ sum by ($GROUP) (increase(cap_telemetry_spans_rejected_total[$WINDOW]))
> $THRESHOLD"#,
        )
        .threshold("0")
        .event("30m")
        .hold("15m")
        .says(
            "Spans do not reach the collector",
            "Spans given up or refused in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "The collector cannot be reached, or refuses what it gets.",
            "Traces are incomplete or missing.",
            [("Given up, by replica", "sum by (instance) (increase(cap_telemetry_spans_failed_total[1h]))".into())],
            "Check telemetry.tracing.endpoint and that egress to the collector's port is allowed. Refused spans are explained in the collector's log.",
        ),
        Definition::new(
            "SeriesFolded",
            "sum by ($GROUP, family) (increase(cap_telemetry_series_folded_total[$WINDOW])) > $THRESHOLD",
        )
        .threshold("0")
        .event("1h")
        .hold("15m")
        .says(
            "{{ $labels.family }} has too many series",
            "Recordings of {{ $labels.family }} that went into its overflow series in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "A label has more different values than its limit, and further ones are folded into _overflow.",
            "Totals stay right. What is folded can no longer be told apart.",
            [("Folded recordings by family", "sum by (family) (increase(cap_telemetry_series_folded_total[1h]))".into())],
            "Find the label that grows without bound in /metrics. Usually an id got where a type belongs.",
        ),
    ]
}
