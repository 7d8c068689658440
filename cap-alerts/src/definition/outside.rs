//! Alerts on what the product talks to: providers, channels, the network it discovers.

use super::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::new(
            "ExternalProviderFailing",
            r#"sum by ($GROUP, provider) (increase(cap_external_request_total{result="failed"}[$WINDOW]))
/
(sum by ($GROUP, provider) (increase(cap_external_request_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.2")
        .past("30m")
        .hold("15m")
        .says(
            "Calls to {{ $labels.provider }} fail",
            "Share of failed calls to {{ $labels.provider }}: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "More calls to the provider fail than the threshold allows.",
            "Whatever needs the provider comes late or not at all.",
            [("Answers by status", "sum by (provider, endpoint, status) (increase(cap_external_request_duration_seconds_count[30m]))".into())],
            "Status none means that no answer came: look at egress and DNS. 401 and 403 mean credentials, 429 a rate limit, 5xx the provider itself.",
        ),
        // `>=`: what lies past the last bucket is estimated as its bound, so `>` could never hold there.
        Definition::new(
            "ExternalProviderSlow",
            r#"histogram_quantile(0.95,
  sum by ($GROUP, provider, le) (rate(cap_external_request_duration_seconds_bucket[$WINDOW]))
) >= $THRESHOLD"#,
        )
        .threshold("10")
        .past("15m")
        .hold("15m")
        .says(
            "{{ $labels.provider }} is slow",
            "One call to {{ $labels.provider }} in twenty takes {{ $value | humanizeDuration }} or longer.",
        )
        .runbook(
            "The slowest twentieth of the calls takes at least as long as the threshold. Buckets end at 10 s, so longer times read as 10 s.",
            "Jobs take longer and hold their workers.",
            [("Slowest calls by endpoint", "histogram_quantile(0.95, sum by (provider, endpoint, le) (rate(cap_external_request_duration_seconds_bucket[15m])))".into())],
            "Compare with the provider's status page. If only one replica is slow, look at its network.",
        ),
        Definition::new(
            "ExternalProviderRateLimited",
            r#"sum by ($GROUP, provider) (increase(cap_external_request_duration_seconds_count{status="429"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .event("30m")
        .hold("15m")
        .says(
            "{{ $labels.provider }} limits our calls",
            "Calls that {{ $labels.provider }} answered with 429 in the last $WINDOW: {{ $value | printf \"%.0f\" }}.",
        )
        .runbook(
            "The provider answers 429: more was asked than it allows.",
            "Renewals wait for the limit to pass. Limits of public issuers can last a week.",
            [("Calls by endpoint", "sum by (provider, endpoint) (increase(cap_external_request_total[1h]))".into())],
            "Find what calls so often, most likely a job that is repeated. Spread renewals out, or ask the provider for a higher limit.",
        ),
        Definition::new(
            "NotificationDeliveryFailing",
            r#"sum by ($GROUP, channel_type) (increase(cap_notification_delivery_total{status="failed"}[$WINDOW]))
/
(sum by ($GROUP, channel_type) (increase(cap_notification_delivery_total[$WINDOW])) > 0)
> $THRESHOLD"#,
        )
        .threshold("0.1")
        .past("30m")
        .hold("15m")
        .says(
            "Notifications by {{ $labels.channel_type }} do not arrive",
            "Share of notifications by {{ $labels.channel_type }} that were given up: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "More notifications of the channel are given up than the threshold allows.",
            "People are not told of expiring certificates by that channel.",
            [("Deliveries by result", "sum by (channel_type, status) (increase(cap_notification_delivery_total[1h]))".into())],
            "Send a test notification. Look at the channel's address and token, and whether egress to it is allowed.",
        ),
        Definition::new(
            "DiscoveryCriticalFindings",
            r#"max by ($GROUP) (last_over_time(cap_discovery_findings_open{severity="critical"}[$WINDOW])) > $THRESHOLD"#,
        )
        .threshold("0")
        .past("10m")
        .hold("1h")
        .says(
            "Discovery has critical findings",
            "Critical findings that are open: {{ $value }}.",
        )
        .runbook(
            "Discovery found certificates in a critical state, and nobody resolved the findings.",
            "What presents these certificates is broken or insecure, or soon will be.",
            [("Open findings", "max by (severity) (cap_discovery_findings_open)".into())],
            "Go through the findings: take the certificates under management, replace them, or accept the finding with a reason.",
        ),
        Definition::new(
            "DiscoverySourceLost",
            r#"max by ($GROUP) (last_over_time(cap_discovery_sources_total[$WINDOW]))
> on ($GROUP)
(
  count by ($GROUP) (max by ($GROUP, source_id) (last_over_time(cap_discovery_endpoints_total[$WINDOW])))
  or
  0 * max by ($GROUP) (last_over_time(cap_discovery_sources_total[$WINDOW]))
)"#,
        )
        .past("10m")
        .hold("1h")
        .says(
            "A discovery source reports nothing",
            "Of {{ $value }} configured discovery sources, some report no endpoints.",
        )
        .runbook(
            "Fewer sources report their endpoints than are configured.",
            "Certificates on that part of the network change or expire unseen.",
            [("Endpoints by source", "max by (source_id) (cap_discovery_endpoints_total)".into())],
            "Find the configured source that is not in the list, and look at the error of its last run.",
        ),
    ]
}
