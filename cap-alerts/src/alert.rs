//! The alerts and recording rules of a deployment: definitions with its choices filled in.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::alerts::{definitions, recording_rules};
use crate::definition::{Definition, Profile, Severity};
use crate::duration;
use crate::options::Options;
use crate::placeholder::{Values, filled, with_selector};

/// The `uid` of the dashboard, which is the end of its path in Grafana.
const DASHBOARD: &str = "certautopilot";

/// The variables of the dashboard beside the data source. Each is a label.
const VARIABLES: [&str; 3] = ["cluster", "namespace", "job"];

/// One alerting rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Alert {
    /// The value of the label `alertname`.
    pub name: String,
    /// The rule group that evaluates the alert.
    pub group: &'static str,
    /// The PromQL expression. The alert is active while the expression has a result.
    pub expr: String,
    /// How long the alert must stay active before it fires: the rule's `for`. Zero fires at once.
    pub for_duration: Duration,
    /// How urgent the alert is.
    pub severity: Severity,
    /// Labels added to those of the result: `severity`, and for an objective `slo`.
    pub labels: BTreeMap<&'static str, String>,
    /// `summary`, `description`, `runbook_url` and `dashboard_url`, as Go templates.
    pub annotations: BTreeMap<&'static str, String>,
}

/// One recording rule.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recording {
    /// The name of the series that the rule writes.
    pub record: String,
    /// The PromQL expression whose result is recorded.
    pub expr: String,
}

/// The alerts of the profile, without those that are switched off.
///
/// Every expression aggregates over the replicas, so that one fact is one alert. Expressions read
/// gauges through `last_over_time(…[10m])`. A lost scrape or a replaced pod therefore neither
/// resolves an alert nor restarts its `for`. In return, the alert of a series that vanishes
/// resolves up to ten minutes late.
pub fn alerts(options: &Options) -> Vec<Alert> {
    definitions()
        .iter()
        .filter(|alert| alert.profile <= options.profile && !options.chosen(&alert.name).disabled)
        .map(|alert| resolved(alert, options))
        .collect()
}

/// The recording rules of the profile, which the alerts on service level objectives read. The
/// recommended profile has none.
pub fn recordings(options: &Options) -> Vec<Recording> {
    if options.profile < Profile::Extended {
        return Vec::new();
    }
    let group = options.grouping_of(None);
    let selector = options.selector_of(None);
    let values = Values {
        group: &group,
        selector: &selector,
        threshold: "",
        window: "",
        job: options.job.as_str(),
    };
    recording_rules()
        .into_iter()
        .map(|rule| Recording {
            expr: filled(&with_selector(&rule.expr), &values),
            record: rule.record,
        })
        .collect()
}

fn resolved(alert: &'static Definition, options: &Options) -> Alert {
    let chosen = &options.chosen(&alert.name);
    let group = options.grouping_of(Some(chosen));
    let selector = options.selector_of(Some(chosen));
    let for_duration =
        chosen.for_duration.or_else(|| duration::parse(alert.for_duration.as_deref()?));
    let for_duration = for_duration.unwrap_or_default();
    let window = match (&chosen.window, &alert.window) {
        (Some(window), _) => window.clone(),
        // An event must stay in sight for longer than `for`, or the alert never fires.
        (None, Some(window)) if alert.event && duration::parse(window) <= Some(for_duration) => {
            duration::format(2 * for_duration)
        }
        (None, window) => window.clone().unwrap_or_default(),
    };
    let default = alert.threshold.as_deref().unwrap_or_default();
    let values = Values {
        group: &group,
        selector: &selector,
        threshold: chosen.threshold.as_deref().unwrap_or(default),
        window: &window,
        job: options.job.as_str(),
    };
    let severity = chosen.severity.unwrap_or(alert.severity);
    let slo = alert.slo.as_ref().map(|slo| ("slo", slo.clone()));
    Alert {
        name: alert.name.clone(),
        group: &alert.group,
        expr: filled(&with_selector(&alert.expr), &values),
        for_duration,
        severity,
        labels: [("severity", severity.to_string())].into_iter().chain(slo).collect(),
        annotations: BTreeMap::from([
            ("summary", filled(&alert.summary, &values)),
            ("description", filled(&alert.description, &values) + &place(&group)),
            ("runbook_url", runbook_url(chosen.runbook_url.as_deref(), options, alert.page())),
            ("dashboard_url", dashboard_url(options, &group)),
        ]),
    }
}

/// A closing sentence that names the installation by the grouping labels that the alert carries.
fn place(group: &[String]) -> String {
    let labels: String = group
        .iter()
        .map(|label| format!("{{{{ with $labels.{label} }}}} {label}={{{{ . }}}}{{{{ end }}}}"))
        .collect();
    match labels.as_str() {
        "" => String::new(),
        _ => format!(" Reported by{labels}."),
    }
}

fn runbook_url(chosen: Option<&str>, options: &Options, page: &str) -> String {
    match chosen {
        Some(url) => url.to_owned(),
        None => format!("{}/{page}.md", options.runbook_base_url.trim_end_matches('/')),
    }
}

/// The dashboard, narrowed to the installation by the variables that are grouping labels.
fn dashboard_url(options: &Options, group: &[String]) -> String {
    let narrowed: Vec<String> = VARIABLES
        .iter()
        .filter(|name| group.iter().any(|label| label == *name))
        .map(|name| format!("var-{name}={{{{ $labels.{name} | urlquery }}}}"))
        .collect();
    let base = options.grafana_url.trim_end_matches('/');
    let query =
        if narrowed.is_empty() { String::new() } else { format!("?{}", narrowed.join("&")) };
    format!("{base}/d/{DASHBOARD}{query}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use cap_names::ClosedEnum as _;

    fn extended() -> Options {
        let mut options = Options::default();
        options.profile = Profile::Extended;
        options
    }

    #[test]
    fn without_grouping_labels_no_place_is_named() {
        let mut options = extended();
        options.grouping.clear();
        for alert in alerts(&options) {
            assert!(!alert.annotations["description"].contains("Reported by"), "{}", alert.name);
            assert!(!alert.annotations["dashboard_url"].contains('?'), "{}", alert.name);
        }
    }

    #[test]
    fn names_durations_and_severities_are_the_recommended_ones() {
        let alerts = alerts(&Options::default());
        let rows: Vec<_> = alerts
            .iter()
            .map(|alert| {
                (alert.name.as_str(), alert.for_duration.as_secs() / 60, alert.severity.as_str())
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

    #[test]
    fn every_expression_is_promql_and_no_placeholder_is_left() {
        for profile in Profile::ALL {
            let mut options = extended();
            options.profile = *profile;
            for grouping in [vec![], vec!["region".parse().unwrap()], options.grouping.clone()] {
                options.grouping = grouping;
                let exprs = alerts(&options).into_iter().map(|alert| alert.expr);
                for expr in exprs.chain(recordings(&options).into_iter().map(|rule| rule.expr)) {
                    assert!(!expr.contains('$'), "{expr}");
                    assert!(promql_parser::parser::parse(&expr).is_ok(), "{expr}");
                }
            }
        }
    }

    #[test]
    fn an_alert_s_settings_reach_its_rule() {
        let mut options = Options::default();
        options
            .apply(
                "runbook_base_url: https://runbooks.example/\n\
                 alerts:\n  KEKClusterNotReady: {for: 10m, severity: critical, threshold: 2, grouping: [zone], selector: 'host=~\"a.+\"'}\n  \
                 LicenseExpiringSoon: {enabled: false}\n  JobDeadLetterRising: {for: 1h}\n",
            )
            .unwrap();
        let alerts = alerts(&options);
        let names: Vec<&str> = alerts.iter().map(|alert| alert.name.as_str()).collect();
        assert_eq!(
            names,
            ["CertRenewalFailingAndExpiring", "KEKClusterNotReady", "JobDeadLetterRising"]
        );
        assert_eq!(
            alerts[1].expr,
            "max by (zone, target) (\n  last_over_time(cap_kek_cluster_laggards_total{host=~\"a.+\"}[10m])\n) > 2"
        );
        assert_eq!(alerts[1].for_duration, Duration::from_secs(600));
        assert_eq!(alerts[1].severity, Severity::Critical);
        assert_eq!(
            alerts[1].annotations["runbook_url"],
            "https://runbooks.example/KEKClusterNotReady.md"
        );
        assert!(alerts[2].expr.contains("[2h]"), "the window follows `for`: {}", alerts[2].expr);
        assert!(alerts[2].annotations["description"].contains("in the last 2h"));
    }
}
