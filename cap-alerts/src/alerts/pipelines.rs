//! Alerts on the telemetry pipelines themselves.

use crate::definition::Definition;

const GROUP: &str = "certautopilot-pipelines";

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::extended(
            GROUP,
            "AuditEventsDropped",
            "sum by ($GROUP) (increase(cap_telemetry_audit_events_dropped_total[$WINDOW])) > $THRESHOLD",
        )
        .threshold("0")
        .event_window("30m")
        .for_duration("15m")
        .says(
            "Audit events are missing in the SIEM",
            "Audit events dropped in the last $WINDOW because the buffer was full: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "The relay was unreachable or slow for so long that the buffer filled. The forwarder dropped the oldest events.",
            "The SIEM's archive has a gap until a process with backfill has filled it (`backfilled` in its status). The primary \
             audit log is complete.",
            [("Events in the buffers", "sum(cap_telemetry_audit_events_queued)")],
            "Repair the relay or the connection to it. The event syslog.gap says which events are missing: replay them from the \
             audit log. If restarts of the relay take that long, raise syslog.buffer_size.",
        ),
        Definition::extended(
            GROUP,
            "AuditRelayDisconnected",
            "min by ($GROUP) (last_over_time(cap_telemetry_syslog_connected[$WINDOW])) == 0",
        )
        .window("10m")
        .for_duration("15m")
        .says(
            "The syslog relay is not connected",
            "At least one replica has no connection to the syslog relay.",
        )
        .runbook(
            "A replica that forwards audit events has no connection to a relay.",
            "Events wait in the buffer. When the buffer is full, the oldest events are dropped.",
            [
                ("Disconnected replicas", "min by (instance) (cap_telemetry_syslog_connected) == 0"),
                ("Events in the buffers", "sum by (instance) (cap_telemetry_audit_events_queued)"),
            ],
            "Use Test in the syslog settings: its result names the stage that fails. Check that egress to the relay's port is \
             allowed.",
        ),
        Definition::extended(
            GROUP,
            "SpansDropped",
            "sum by ($GROUP) (increase(cap_telemetry_spans_dropped_total[$WINDOW])) > $THRESHOLD",
        )
        .threshold("0")
        .event_window("30m")
        .for_duration("15m")
        .says(
            "Spans are dropped",
            "Spans dropped in the last $WINDOW because the queue was full: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "Spans ended faster than the collector accepted them.",
            "Traces are incomplete.",
            [("Waiting spans by replica", "sum by (instance) (cap_telemetry_spans_pending)")],
            "Lower telemetry.tracing.sample_rate, raise queue_size, or give the collector more resources.",
        ),
        Definition::extended(
            GROUP,
            "SpanExportFailing",
            r#"sum by ($GROUP) (increase(cap_telemetry_spans_failed_total[$WINDOW]))
+ sum by ($GROUP) (increase(cap_telemetry_spans_rejected_total[$WINDOW]))
> $THRESHOLD"#,
        )
        .threshold("0")
        .event_window("30m")
        .for_duration("15m")
        .says(
            "Spans do not reach the collector",
            "Spans that failed or were rejected in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "The collector cannot be reached, or rejects spans.",
            "Traces are incomplete or missing.",
            [("Failed spans by replica", "sum by (instance) (increase(cap_telemetry_spans_failed_total[1h]))")],
            "Check telemetry.tracing.endpoint, and that egress to the collector's port is allowed. The collector's log explains \
             rejected spans.",
        ),
        Definition::extended(
            GROUP,
            "SeriesFolded",
            "sum by ($GROUP, family) (increase(cap_telemetry_series_folded_total[$WINDOW])) > $THRESHOLD",
        )
        .threshold("0")
        .event_window("1h")
        .for_duration("15m")
        .says(
            "{{ $labels.family }} has too many series",
            "Recordings of {{ $labels.family }} that went into its overflow series in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "A label has more values than its limit. Further values are folded into _overflow.",
            "Totals stay correct. The folded values can no longer be distinguished.",
            [("Folded recordings by family", "sum by (family) (increase(cap_telemetry_series_folded_total[1h]))")],
            "Find the label that grows without bound in /metrics. Usually an id was used where a type belongs.",
        ),
    ]
}
