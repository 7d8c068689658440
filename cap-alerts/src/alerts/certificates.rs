//! Alerts on certificates, and on the license that allows them.

use crate::definition::Definition;

const GROUP: &str = "certautopilot-certificates";

pub(super) fn alerts() -> Vec<Definition> {
    vec![
        Definition::extended(
            GROUP,
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
        .window("10m")
        .for_duration("5m")
        .critical()
        .says(
            "Certificates have expired",
            "Certificates that expired within the last hour: {{ $value }}.",
        )
        .runbook(
            "More certificates are expired than an hour ago.",
            "Clients refuse connections to services that present an expired certificate.",
            [("Expired certificates by issuer", r#"max by (issuer_type) (cap_certificates_total{status="expired"})"#)],
            "List the expired certificates and decide which of them are still in use. Renew and distribute those first. Revoke or \
             archive the others.",
        ),
        Definition::extended(
            GROUP,
            "CertExpiringNothingRenewed",
            r#"max by ($GROUP) (last_over_time(cap_certificates_expiring_in_days{threshold="$THRESHOLD"}[10m])) > 0
unless on ($GROUP)
sum by ($GROUP) (increase(cap_certificates_renewed_total[$WINDOW])) > 0"#,
        )
        .threshold("14")
        .window("6h")
        .for_duration("6h")
        .says(
            "Certificates are about to expire and nothing is renewed",
            "Certificates with less than $THRESHOLD days left: {{ $value }}. No renewal succeeded in the last $WINDOW.",
        )
        .runbook(
            "Certificates have fewer days left than the threshold, and no renewal succeeded for hours.",
            "Nothing is broken yet. If renewals do not resume, certificates expire.",
            [
                ("Renewals by trigger", "sum by (issuer_type, trigger) (increase(cap_certificates_renewed_total[1d]))"),
                ("Waiting jobs by type", "max by (type) (cap_jobs_queue_depth)"),
            ],
            "Check that the scheduler queues renewals, that workers take them, and whether they fail.",
        ),
        Definition::extended(
            GROUP,
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
        .window("10m")
        .for_duration("1h")
        .says(
            "Renewals of many certificates failed",
            "Share of certificates in use whose renewal failed: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The share of certificates in use that are in state renewal_failed is above the threshold.",
            "A fault that affects many certificates usually lies with an issuer or its credentials. It affects more of them with \
             time.",
            [("Failed renewals by issuer", r#"max by (issuer_type) (cap_certificates_total{status="renewal_failed"})"#)],
            "Compare the issuers. If one stands out, check its calls and credentials. If none does, check what all renewals share: \
             DNS, egress, the queue.",
        ),
        Definition::extended(
            GROUP,
            "LicenseInvalid",
            "min by ($GROUP) (last_over_time(cap_license_valid[$WINDOW])) == 0",
        )
        .window("10m")
        .for_duration("15m")
        .critical()
        .says("The license is invalid", "The license is invalid or has expired.")
        .runbook(
            "A replica has a license that is not valid: it has expired, is exceeded, or belongs to another installation.",
            "Certificates are neither issued nor renewed.",
            [("State of the license by replica", "cap_license_valid")],
            "Install a valid license. If the replicas differ, restart those that still use the old license.",
        ),
        Definition::extended(
            GROUP,
            "LicenseUsageHigh",
            r#"max by ($GROUP) (last_over_time(cap_license_cert_usage[$WINDOW]))
/
(max by ($GROUP) (last_over_time(cap_license_cert_limit[$WINDOW])) > 0)
>= $THRESHOLD"#,
        )
        .threshold("0.9")
        .window("10m")
        .for_duration("1h")
        .says(
            "The license is almost used up",
            "Share of the licensed certificates in use: {{ $value | humanizePercentage }}.",
        )
        .runbook(
            "The number of certificates that count against the license is near its limit. A limit of 0 means unlimited and never \
             alerts.",
            "At the limit, the product issues no further certificates.",
            [("Share of the license in use", "max(cap_license_cert_usage) / max(cap_license_cert_limit)")],
            "Revoke certificates that are no longer needed, or extend the license.",
        ),
        Definition::extended(
            GROUP,
            "LicenseLimitReached",
            r#"max by ($GROUP) (last_over_time(cap_license_cert_usage[$WINDOW]))
>= on ($GROUP)
(max by ($GROUP) (last_over_time(cap_license_cert_limit[$WINDOW])) > 0)"#,
        )
        .window("10m")
        .for_duration("15m")
        .critical()
        .says(
            "The license is used up",
            "Certificates in use: {{ $value }}. The license allows no more.",
        )
        .runbook(
            "The number of certificates in use has reached the limit of the license.",
            "The product issues no further certificates.",
            [("Share of the license in use", "max(cap_license_cert_usage) / max(cap_license_cert_limit)")],
            "Revoke certificates that are no longer needed, or extend the license.",
        ),
    ]
}
