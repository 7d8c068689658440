//! The certificate inventory.

use std::sync::Arc;

use cap_names::ClosedEnum as _;

use crate::catalogue::labels::{CertificateStatus, ExpiryThreshold, RenewalTrigger};
use crate::registry::Registry;

/// Records the inventory, and what is issued and renewed.
#[derive(Clone, Copy, Debug)]
pub struct Certificates<'a>(pub(crate) &'a Arc<Registry>);

impl Certificates<'_> {
    /// Registers every issuer type, once at startup. Their counters are exposed as 0 from then on.
    pub fn register<'n>(&self, issuer_types: impl IntoIterator<Item = &'n str>) {
        let certificates = &self.0.families.certificates;
        for name in issuer_types {
            let issuer = self.0.words.issuer_type(name);
            certificates.issued.init((issuer,));
            for trigger in RenewalTrigger::ALL {
                certificates.renewed.init((issuer, *trigger));
            }
        }
    }

    /// Replaces the inventory: how many certificates there are of each status and issuer type.
    pub fn set_inventory<W: AsRef<str>>(
        &self,
        counts: impl IntoIterator<Item = (CertificateStatus, W, u64)>,
    ) {
        let rows: Vec<_> = counts
            .into_iter()
            .map(|(status, issuer, n)| {
                ([status.as_str().to_owned(), issuer.as_ref().to_owned()], n as f64)
            })
            .collect();
        self.0.families.certificates.total.replace(rows);
    }

    /// Replaces the expiry counts, from the days that each unexpired certificate has left. A
    /// certificate counts under every threshold above its days.
    pub fn set_days_left(&self, days_left: impl IntoIterator<Item = f64>) {
        const DAYS: [f64; 4] = [7.0, 14.0, 30.0, 90.0];
        let mut counts = [0u64; DAYS.len()];
        for left in days_left {
            for (count, days) in counts.iter_mut().zip(DAYS) {
                *count += u64::from(left < days);
            }
        }
        let rows = ExpiryThreshold::ALL
            .iter()
            .zip(counts)
            .map(|(threshold, count)| ([threshold.as_str()], count as f64));
        self.0.families.certificates.expiring.replace(rows);
    }

    /// A certificate was issued for the first time.
    pub fn record_issued(&self, issuer_type: &str) {
        let issuer = self.0.words.issuer_type(issuer_type);
        self.0.families.certificates.issued.inc((issuer,));
    }

    /// A certificate was renewed.
    pub fn record_renewed(&self, issuer_type: &str, trigger: RenewalTrigger) {
        let issuer = self.0.words.issuer_type(issuer_type);
        let certificates = &self.0.families.certificates;
        certificates.renewed.inc((issuer, trigger));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Metrics;

    #[test]
    fn a_certificate_counts_under_every_threshold_above_its_days() {
        let metrics = Metrics::new();
        metrics.certificates().set_days_left([5.0, 20.0, 365.0]);
        let text = metrics.render();
        for (threshold, count) in [("7", 1), ("14", 1), ("30", 2), ("90", 2)] {
            let line =
                format!("cap_certificates_expiring_in_days{{threshold=\"{threshold}\"}} {count}\n");
            assert!(text.contains(&line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn past_the_limit_a_status_is_still_a_status() {
        let metrics = Metrics::new();
        let issuers: Vec<_> = (0..100).map(|n| format!("issuer-{n}")).collect();
        let counts = issuers.iter().map(|issuer| (CertificateStatus::RenewalFailed, issuer, 1));
        metrics.certificates().set_inventory(counts);
        let text = metrics.render();
        let overflow =
            r#"cap_certificates_total{status="renewal_failed",issuer_type="_overflow"} 36"#;
        assert!(text.contains(overflow), "{text}");
    }

    #[test]
    fn an_issuer_that_is_deleted_leaves_no_series() {
        let metrics = Metrics::new();
        let certificates = metrics.certificates();
        certificates.set_inventory([
            (CertificateStatus::Active, "acme", 2),
            (CertificateStatus::Active, "msca", 1),
        ]);
        certificates.set_inventory([(CertificateStatus::Active, "acme", 2)]);
        let text = metrics.render();
        assert!(text.contains(r#"cap_certificates_total{status="active",issuer_type="acme"} 2"#));
        assert!(!text.contains("msca"), "{text}");
    }
}
