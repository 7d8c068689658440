//! The recommended alerts, in the order in which they are documented.

use crate::definition::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        // Every replica reports the whole inventory, so `max` comes before `sum`: issuers add up,
        // replicas do not.
        Definition::recommended(
            "CertRenewalFailingAndExpiring",
            r#"sum by ($GROUP) (
  max by ($GROUP, issuer_type) (
    last_over_time(cap_certificates_total{status="renewal_failed"}[$WINDOW])
  )
) > 0
and on ($GROUP)
max by ($GROUP) (
  last_over_time(cap_certificates_expiring_in_days{threshold="$THRESHOLD"}[$WINDOW])
) > 0"#,
        )
        .threshold("7")
        .window("10m")
        .for_duration("1h")
        .critical()
        .says(
            "Certificate renewals fail while certificates are about to expire",
            "Certificates whose renewal failed: {{ $value }}. At least one certificate has less than $THRESHOLD days left. Read \
             the errors of the failed renewal jobs, and renew the certificates before they expire.",
        )
        .runbook(
            "At least one renewal failed for good, and at least one certificate has fewer days left than the threshold \
             (7, 14, 30 or 90). They can be different certificates: metrics carry no certificate ids.",
            "When a certificate expires, clients refuse connections to the service that presents it.",
            [
                ("Failed renewals by issuer", r#"max by (issuer_type) (cap_certificates_total{status="renewal_failed"})"#),
                ("Certificates by days left", "max by (threshold) (cap_certificates_expiring_in_days)"),
                ("Responses of the issuers", "sum by (provider, endpoint, status) (increase(cap_external_request_duration_seconds_count[1h]))"),
            ],
            "List the certificates in state renewal_failed and read their last error. The trace of a renewal job shows each \
             call to the issuer. Repair the cause (credentials, DNS, quota), renew by hand, and check that the count falls.",
        ),
        Definition::recommended(
            "KEKClusterNotReady",
            "max by ($GROUP, target) (\n  last_over_time(cap_kek_cluster_laggards_total[$WINDOW])\n) > $THRESHOLD",
        )
        .threshold("0")
        .window("10m")
        .for_duration("5m")
        .says(
            "Hosts have not loaded KEK version {{ $labels.target }}",
            "Hosts without KEK version {{ $labels.target }}: {{ $value }}. The cluster cannot rotate to this version until \
             they have loaded it. Compare the versions of each host.",
        )
        .runbook(
            "Some hosts have not loaded the KEK version that the cluster rotates to.",
            "The rotation waits. If it were forced, these hosts could not decrypt.",
            [
                ("Loaded versions by host", "max by (host, version) (cap_kek_process_loaded_versions)"),
                ("Current version by host", "max by (host) (cap_kek_process_current_version)"),
            ],
            "Restart the hosts that lack the version, or repair their connection to the key provider. A host that no longer \
             exists is removed from the count automatically.",
        ),
        // The window is twice the `for`: one dead letter keeps the alert active until it fires.
        Definition::recommended(
            "JobDeadLetterRising",
            "sum by ($GROUP, type) (\n  increase(cap_jobs_dead_letter_total[$WINDOW])\n) > $THRESHOLD",
        )
        .threshold("0")
        .event_window("30m")
        .for_duration("15m")
        .says(
            "Jobs of type {{ $labels.type }} are dead-lettered",
            "Jobs of type {{ $labels.type }} dead-lettered in the last $WINDOW: {{ $value | printf \"%.0f\" }}. They are not \
             retried. Find the cause in their last errors, then queue them again.",
        )
        .runbook(
            "Jobs failed their last attempt and are not retried.",
            "The work of these jobs is not done until somebody queues them again.",
            [
                ("Dead-lettered jobs by type", "sum by (type) (increase(cap_jobs_dead_letter_total[1h]))"),
                ("Failed attempts by type", r#"sum by (type) (increase(cap_jobs_completed_total{result="failed"}[1h]))"#),
            ],
            "Read the last error of the jobs and the trace of an attempt. The error class says whether the network, the \
             credentials or the input failed. Repair the cause, then queue the jobs again. The alert resolves when no job \
             was dead-lettered within its window.",
        ),
        // 7 days. A perpetual license exports no such series. An expired license is below 0 and
        // keeps firing.
        Definition::recommended(
            "LicenseExpiringSoon",
            "min by ($GROUP) (\n  last_over_time(cap_license_expires_in_seconds[$WINDOW])\n) < $THRESHOLD",
        )
        .threshold("604800")
        .window("10m")
        .says(
            "The license {{ if gt $value 0.0 }}expires soon{{ else }}has expired{{ end }}",
            "The license {{ if gt $value 0.0 }}expires in {{ $value | humanizeDuration }}{{ else }}has expired{{ end }}. \
             Install a new license.",
        )
        .runbook(
            "The license has less time left than the threshold (in seconds), or has expired. A perpetual license exports no \
             expiry and never alerts.",
            "With an invalid license, the product stops issuing certificates.",
            [("Days left", "min(cap_license_expires_in_seconds) / 86400")],
            "Install a new license. The alert resolves within minutes after the replicas have read it.",
        ),
    ]
}
