//! Alerts on certificates and the license that allows them.

use super::Definition;

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        // Every replica reports the whole inventory, so `max` before `sum`: replicas do not add up, issuers do.
        Definition::new(
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
        .recommended()
        .threshold("7")
        .past("10m")
        .hold("1h")
        .critical()
        .says(
            "Certificate renewals fail while certificates are about to expire",
            "Certificates whose renewal failed: {{ $value }}. At least one certificate has less than $THRESHOLD days left. Read \
             the errors of the failed renewal jobs and renew before it expires.",
        )
        .runbook(
            "Some renewals failed for good, and some certificate has fewer days left than the threshold (7, 14, 30 or 90). The two \
             need not be the same certificate: metrics carry no certificate ids.",
            "When a certificate expires, whatever presents it is refused by its clients.",
            [
                ("Failed renewals by issuer", r#"max by (issuer_type) (cap_certificates_total{status="renewal_failed"})"#.into()),
                ("How soon certificates expire", "max by (threshold) (cap_certificates_expiring_in_days)".into()),
                ("What the issuers answer", r#"sum by (provider, endpoint, status) (increase(cap_external_request_duration_seconds_count[1h]))"#.into()),
            ],
            "List the certificates in state renewal_failed and read their last error; the trace of a renewal job shows each call to \
             the issuer. Repair what it names (credentials, DNS, quota), then renew by hand and watch the count fall.",
        ),
        Definition::new(
            "CertExpiredIncreased",
            r#"sum by ($GROUP) (
  max by ($GROUP, issuer_type) (last_over_time(cap_certificates_total{status="expired"}[$WINDOW]))
)
-
sum by ($GROUP) (
  max by ($GROUP, issuer_type) (last_over_time(cap_certificates_total{status="expired"}[$WINDOW] offset 1h))
)
> $THRESHOLD"#,
        )
        .threshold("0")
        .past("10m")
        .hold("5m")
        .critical()
        .says(
            "Certificates have expired",
            "Certificates that expired within the last hour: {{ $value }}.",
        )
        .runbook(
            "More certificates are expired than an hour ago.",
            "Clients refuse whatever still presents one of them.",
            [("Expired certificates by issuer", r#"max by (issuer_type) (cap_certificates_total{status="expired"})"#.into())],
            "Find the expired certificates, decide which are still in use, and renew and distribute those first. Revoke or archive the rest.",
        ),
        Definition::new(
            "CertExpiringNothingRenewed",
            r#"max by ($GROUP) (last_over_time(cap_certificates_expiring_in_days{threshold="$THRESHOLD"}[10m])) > 0
unless on ($GROUP)
sum by ($GROUP) (increase(cap_certificates_renewed_total[$WINDOW])) > 0"#,
        )
        .threshold("14")
        .past("6h")
        .hold("6h")
        .says(
            "Certificates are expiring and nothing is renewed",
            "Certificates with less than $THRESHOLD days left: {{ $value }}. Nothing was renewed in the last hours.",
        )
        .runbook(
            "Certificates have fewer days left than the threshold, and not one renewal succeeded for hours.",
            "Nothing is broken yet. If it goes on, certificates expire.",
            [
                ("Renewals by what set them off", "sum by (issuer_type, trigger) (increase(cap_certificates_renewed_total[1d]))".into()),
                ("Jobs that wait", "max by (type) (cap_jobs_queue_depth)".into()),
            ],
            "See whether the scheduler queues renewals at all, whether workers take them, and whether they fail.",
        ),
        Definition::new(
            "CertRenewalFailedRatioHigh",
            r#"sum by ($GROUP) (
  max by ($GROUP, issuer_type) (last_over_time(cap_certificates_total{status="renewal_failed"}[$WINDOW]))
)
/
(
  sum by ($GROUP) (
    max by ($GROUP, issuer_type, status) (last_over_time(cap_certificates_total{status=~"active|renewal_failed"}[$WINDOW]))
  ) > 0
)
> $THRESHOLD"#,
        )
        .threshold("0.05")
        .past("10m")
        .hold("1h")
        .says(
            "Many certificates could not be renewed",
            "Share of certificates in use whose renewal failed: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "Of the certificates in use, more than the threshold are in state renewal_failed.",
            "A fault that hits many certificates at once usually lies with an issuer or its credentials, and grows.",
            [("Failed renewals by issuer", r#"max by (issuer_type) (cap_certificates_total{status="renewal_failed"})"#.into())],
            "Compare issuers. If one stands out, look at its calls and credentials; if none does, at what renewals share: DNS, egress, the queue.",
        ),
        // 7 days. A perpetual license exports no such series; an expired one is below 0 and keeps firing.
        Definition::new(
            "LicenseExpiringSoon",
            "min by ($GROUP) (\n  last_over_time(cap_license_expires_in_seconds[$WINDOW])\n) < $THRESHOLD",
        )
        .recommended()
        .threshold("604800")
        .past("10m")
        .says(
            "The license {{ if gt $value 0.0 }}expires soon{{ else }}has expired{{ end }}",
            "The license {{ if gt $value 0.0 }}expires in {{ $value | humanizeDuration }}{{ else }}has expired{{ end }}. Install a new one.",
        )
        .runbook(
            "The license has less time left than the threshold (in seconds), or none. A perpetual license exports no expiry.",
            "With an invalid license the product stops issuing.",
            [("Days left", "min(cap_license_expires_in_seconds) / 86400".into())],
            "Install a new license. The alert resolves within minutes of the replicas having read it.",
        ),
        Definition::new(
            "LicenseInvalid",
            "min by ($GROUP) (last_over_time(cap_license_valid[$WINDOW])) == 0",
        )
        .past("10m")
        .hold("15m")
        .critical()
        .says("The license is invalid", "The license is invalid or has expired.")
        .runbook(
            "A replica holds a license that is not valid: expired, exceeded, or not for this installation.",
            "Certificates are no longer issued or renewed.",
            [("What each replica says", "cap_license_valid".into())],
            "Install a valid license. If replicas differ, restart the one that still has the old one.",
        ),
        Definition::new(
            "LicenseUsageHigh",
            r#"max by ($GROUP) (last_over_time(cap_license_cert_usage[$WINDOW]))
/
(max by ($GROUP) (last_over_time(cap_license_cert_limit[$WINDOW])) > 0)
>= $THRESHOLD"#,
        )
        .threshold("0.9")
        .past("10m")
        .hold("1h")
        .says(
            "The license is almost used up",
            "Share of the licensed certificates in use: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The certificates that count against the license come near its limit. A limit of 0 is unlimited and never alerts.",
            "At the limit no further certificate is issued.",
            [("In use, and allowed", "max(cap_license_cert_usage) / max(cap_license_cert_limit)".into())],
            "Revoke certificates that are no longer needed, or extend the license.",
        ),
        Definition::new(
            "LicenseLimitReached",
            r#"max by ($GROUP) (last_over_time(cap_license_cert_usage[$WINDOW]))
>= on ($GROUP)
(max by ($GROUP) (last_over_time(cap_license_cert_limit[$WINDOW])) > 0)"#,
        )
        .past("10m")
        .hold("15m")
        .critical()
        .says(
            "The license is used up",
            "Certificates in use: {{ $value }}, which is all that the license allows.",
        )
        .runbook(
            "As many certificates are in use as the license allows, or more.",
            "No further certificate is issued.",
            [("In use, and allowed", "max(cap_license_cert_usage) / max(cap_license_cert_limit)".into())],
            "Revoke certificates that are no longer needed, or extend the license.",
        ),
    ]
}
