//! The recommended alerts, as data.

use std::time::Duration;

use cap_names::closed_enum;

use crate::{LabelName, Options};

/// One alerting rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alert {
    /// The name, the value of the label `alertname`.
    pub name: &'static str,
    /// The PromQL expression; the alert is active while it has a result.
    pub expr: String,
    /// How long it must stay active before it fires.
    pub hold: Duration,
    /// How urgent it is.
    pub severity: Severity,
    /// One line for a notification's title. A Go template.
    pub summary: String,
    /// What it means and where to look. A Go template.
    pub description: String,
}

closed_enum! {
    /// The value of an alert's label `severity`.
    pub enum Severity: "alert severity" {
        /// Someone must act now.
        Critical = "critical",
        /// Someone must act soon.
        Warning = "warning",
    }
}

/// The four recommended alerts.
///
/// Every expression aggregates over the replicas, so that one fact is one alert. Gauges are read through
/// `last_over_time(…[10m])`: a lost scrape or a replaced pod neither resolves an alert nor starts its hold anew, at the price
/// that a series that vanishes altogether resolves its alert up to ten minutes late.
pub fn alerts(options: &Options) -> Vec<Alert> {
    let by = |more: &[&str]| {
        let grouping = options.grouping.iter().map(LabelName::as_str);
        grouping
            .chain(more.iter().copied())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (group, where_from) = (by(&[]), place(options));
    vec![
        Alert {
            name: "CertRenewalFailingAndExpiring",
            // Every replica reports the whole inventory, so `max` before `sum`: replicas do not add up, issuers do.
            expr: format!(
                r#"sum by ({group}) (
  max by ({}) (
    last_over_time(cap_certificates_total{{status="renewal_failed"}}[10m])
  )
) > 0
and on ({group})
max by ({group}) (
  last_over_time(cap_certificates_expiring_in_days{{threshold="7"}}[10m])
) > 0"#,
                by(&["issuer_type"])
            ),
            hold: Duration::from_secs(60 * 60),
            severity: Severity::Critical,
            summary: "Certificate renewals fail while certificates are about to expire".to_owned(),
            description: format!(
                "Certificates whose renewal failed: {{{{ $value }}}}. At least one certificate has less than 7 days left. Read \
                 the errors of the failed renewal jobs and renew before it expires.{where_from}"
            ),
        },
        Alert {
            name: "KEKClusterNotReady",
            expr: format!(
                "max by ({}) (\n  last_over_time(cap_kek_cluster_laggards_total[10m])\n) > 0",
                by(&["target"])
            ),
            hold: Duration::from_secs(5 * 60),
            severity: Severity::Warning,
            summary: "Hosts have not loaded KEK version {{ $labels.target }}".to_owned(),
            description: format!(
                "Hosts without KEK version {{{{ $labels.target }}}}: {{{{ $value }}}}. The cluster cannot rotate to it until they \
                 have loaded it: compare the versions of each host.{where_from}"
            ),
        },
        Alert {
            name: "JobDeadLetterRising",
            // The window is twice the hold: one dead letter keeps the alert active long enough to fire.
            expr: format!(
                "sum by ({}) (\n  increase(cap_jobs_dead_letter_total[30m])\n) > 0",
                by(&["type"])
            ),
            hold: Duration::from_secs(15 * 60),
            severity: Severity::Warning,
            summary: "Jobs of type {{ $labels.type }} are given up".to_owned(),
            description: format!(
                "Jobs of type {{{{ $labels.type }}}} given up in the last 30 minutes: {{{{ $value | printf \"%.0f\" }}}}. They are \
                 not tried again: find the cause in their last errors, then queue them anew.{where_from}"
            ),
        },
        Alert {
            name: "LicenseExpiringSoon",
            // 7 days. A perpetual license exports no such series; an expired one is below 0 and keeps firing.
            expr: format!(
                "min by ({group}) (\n  last_over_time(cap_license_expires_in_seconds[10m])\n) < 604800"
            ),
            hold: Duration::ZERO,
            severity: Severity::Warning,
            summary: "The license {{ if gt $value 0.0 }}expires soon{{ else }}has expired{{ end }}"
                .to_owned(),
            description: format!(
                "The license {{{{ if gt $value 0.0 }}}}expires in {{{{ $value | humanizeDuration }}}}\
                 {{{{ else }}}}has expired{{{{ end }}}}. Install a new one.{where_from}"
            ),
        },
    ]
}

/// A closing sentence that names the installation, by those grouping labels that the alert really has.
fn place(options: &Options) -> String {
    let labels: String = options
        .grouping
        .iter()
        .map(|label| format!("{{{{ with $labels.{label} }}}} {label}={{{{ . }}}}{{{{ end }}}}"))
        .collect();
    match labels.as_str() {
        "" => String::new(),
        _ => format!(" Reported by{labels}."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expr::carried;
    use crate::labels::Held;

    fn templated_labels(template: &str) -> Vec<&str> {
        template
            .split("$labels.")
            .skip(1)
            .map(|rest| {
                rest.split(|c: char| !c.is_alphanumeric() && c != '_')
                    .next()
                    .unwrap()
            })
            .collect()
    }

    #[test]
    fn annotations_only_name_labels_that_the_result_carries() {
        for alert in alerts(&Options::default()) {
            let parsed = promql_parser::parser::parse(&alert.expr).unwrap();
            let labels = carried(&parsed, &mut Vec::new()).unwrap();
            let text = [alert.summary, alert.description].concat();
            assert!(templated_labels(&text).len() >= 3, "{text}");
            for label in templated_labels(&text) {
                assert_ne!(*labels.get(label), Held::Nothing, "{}: {label}", alert.name);
            }
        }
    }

    #[test]
    fn without_grouping_labels_no_place_is_named() {
        let mut options = Options::default();
        options.grouping.clear();
        for alert in alerts(&options) {
            assert!(
                !alert.description.contains("Reported by"),
                "{}",
                alert.description
            );
        }
    }

    #[test]
    fn names_holds_and_severities_are_the_recommended_ones() {
        let alerts = alerts(&Options::default());
        let rows: Vec<_> = alerts
            .iter()
            .map(|alert| {
                (
                    alert.name,
                    alert.hold.as_secs() / 60,
                    alert.severity.as_str(),
                )
            })
            .collect();
        assert_eq!(
            rows,
            [
                ("CertRenewalFailingAndExpiring", 60, "critical"),
                ("KEKClusterNotReady", 5, "warning"),
                ("JobDeadLetterRising", 15, "warning"),
                ("LicenseExpiringSoon", 0, "warning"),
            ]
        );
    }
}
