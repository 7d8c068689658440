//! Alerts on external systems: providers, notification channels, the network that is discovered.

use crate::definition::Definition;

const GROUP: &str = "certautopilot-external";

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::extended(
            GROUP,
            "ExternalProviderFailing",
            r#"sum by ($GROUP, provider) (increase(cap_external_request_total{result="failed"}[$WINDOW]))
/
(sum by ($GROUP, provider) (increase(cap_external_request_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.2")
        .window("30m")
        .for_duration("15m")
        .says(
            "Calls to {{ $labels.provider }} fail",
            "Share of failed calls to {{ $labels.provider }}: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The share of calls to the provider that fail is above the threshold.",
            "Work that needs the provider is late or fails.",
            [("Responses by status", "sum by (provider, endpoint, status) (increase(cap_external_request_duration_seconds_count[30m]))")],
            "Status none means that no response came: check egress and DNS. 401 and 403 point to credentials, 429 to a rate limit, \
             5xx to the provider itself.",
        ),
        // `>=`: a quantile past the last bucket is estimated as that bucket's bound, so `>` could
        // never hold there.
        Definition::extended(
            GROUP,
            "ExternalProviderSlow",
            r#"histogram_quantile(0.95,
  sum by ($GROUP, provider, le) (rate(cap_external_request_duration_seconds_bucket[$WINDOW]))
) >= $THRESHOLD"#,
        )
        .threshold("10")
        .window("15m")
        .for_duration("15m")
        .says(
            "{{ $labels.provider }} is slow",
            "One call in twenty to {{ $labels.provider }} takes {{ $value | humanizeDuration }} or longer.",
        )
        .runbook(
            "The 95th percentile of the duration of calls has reached the threshold. The buckets end at 10 s, so longer durations \
             read as 10 s.",
            "Jobs take longer and occupy their workers.",
            [("Duration by endpoint, 95th percentile", "histogram_quantile(0.95, sum by (provider, endpoint, le) (rate(cap_external_request_duration_seconds_bucket[15m])))")],
            "Check the provider's status page. If only one replica is slow, check its network.",
        ),
        Definition::extended(
            GROUP,
            "ExternalProviderRateLimited",
            r#"sum by ($GROUP, provider) (increase(cap_external_request_duration_seconds_count{status="429"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .event_window("30m")
        .for_duration("15m")
        .says(
            "{{ $labels.provider }} rate-limits our calls",
            "Calls that {{ $labels.provider }} answered with 429 in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "The provider answers 429: it received more calls than it allows.",
            "Renewals wait until the limit passes. Limits of public issuers can last a week.",
            [("Calls by endpoint", "sum by (provider, endpoint) (increase(cap_external_request_total[1h]))")],
            "Find what calls so often; most likely it is a job that is retried. Spread the renewals, or ask the provider for a \
             higher limit.",
        ),
        Definition::extended(
            GROUP,
            "NotificationDeliveryFailing",
            r#"sum by ($GROUP, channel_type) (increase(cap_notification_delivery_total{status="failed"}[$WINDOW]))
/
(sum by ($GROUP, channel_type) (increase(cap_notification_delivery_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.1")
        .window("30m")
        .for_duration("15m")
        .says(
            "Notifications by {{ $labels.channel_type }} are not delivered",
            "Share of notifications by {{ $labels.channel_type }} that failed: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The share of the channel's notifications that fail is above the threshold.",
            "People get no warnings of expiring certificates on that channel.",
            [("Deliveries by result", "sum by (channel_type, status) (increase(cap_notification_delivery_total[1h]))")],
            "Send a test notification. Check the channel's address and token, and that egress to it is allowed.",
        ),
        Definition::extended(
            GROUP,
            "DiscoveryCriticalFindings",
            r#"max by ($GROUP) (last_over_time(cap_discovery_findings_open{severity="critical"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .window("10m")
        .for_duration("1h")
        .says(
            "Discovery has critical findings",
            "Open critical findings: {{ $value }}.",
        )
        .runbook(
            "Discovery found certificates in a critical state, and nobody resolved the findings.",
            "Services that present these certificates are broken or insecure, or soon will be.",
            [("Open findings by severity", "max by (severity) (cap_discovery_findings_open)")],
            "Go through the findings. Take each certificate under management, replace it, or accept the finding with a reason.",
        ),
        Definition::extended(
            GROUP,
            "DiscoverySourceLost",
            r#"max by ($GROUP) (last_over_time(cap_discovery_sources_total[$WINDOW]))
> on ($GROUP)
(
  count by ($GROUP) (max by ($GROUP, source_id) (last_over_time(cap_discovery_endpoints_total[$WINDOW])))
  or
  0 * max by ($GROUP) (last_over_time(cap_discovery_sources_total[$WINDOW]))
)"#,
        )
        .window("10m")
        .for_duration("1h")
        .says(
            "A discovery source reports nothing",
            "Configured discovery sources: {{ $value }}. Fewer of them report endpoints.",
        )
        .runbook(
            "Fewer sources report endpoints than are configured.",
            "Certificates on that part of the network change or expire unnoticed.",
            [("Endpoints by source", "max by (source_id) (cap_discovery_endpoints_total)")],
            "Find the configured source that is not in the list, and read the error of its last run.",
        ),
    ]
}
