//! What is pushed out and what is found outside: distribution, notifications, discovery.

use std::time::Duration;

use cap_names::{ClosedEnum as _, ErrorClass};

use crate::Metrics;
use crate::labels::{ExecutionStatus, FindingSeverity, Outcome, TargetResult};

/// Records distributions to targets.
#[derive(Clone, Copy, Debug)]
pub struct Distribution<'a>(pub(crate) &'a Metrics);

impl Distribution<'_> {
    pub(crate) fn touch(&self) {
        let distribution = &self.0.inner.families.distribution;
        distribution.fanout.touch(());
        for status in Outcome::ALL {
            distribution.validation.touch((*status,));
        }
    }

    /// Names every module in use, once, at start-up: their counters stand at 0 from then on.
    pub fn register<'n>(&self, modules: impl IntoIterator<Item = &'n str>) {
        let distribution = &self.0.inner.families.distribution;
        for name in modules {
            let module = self.0.inner.words.module(name);
            for status in ExecutionStatus::ALL {
                distribution.executions.touch((module, *status));
            }
            for answer in TargetResult::ALL {
                distribution.target_result.touch((module, *answer));
            }
        }
    }

    /// A distribution run ended.
    pub fn record_executed(&self, module: &str, status: ExecutionStatus) {
        let module = self.0.inner.words.module(module);
        self.0
            .inner
            .families
            .distribution
            .executions
            .inc((module, status));
    }

    /// A target answered; `None` means it took the certificate.
    pub fn record_target_result(&self, module: &str, error: Option<ErrorClass>) {
        let module = self.0.inner.words.module(module);
        let distribution = &self.0.inner.families.distribution;
        distribution.target_result.inc((module, error.into()));
    }

    /// A distribution was split into child runs.
    pub fn record_fanned_out(&self) {
        self.0.inner.families.distribution.fanout.inc(());
    }

    /// A child run began: it is active until the returned value is dropped.
    pub fn start_child(&self) -> ChildRun {
        self.0.inner.families.distribution.fanout_children.inc();
        ChildRun(self.0.clone())
    }

    /// It was checked whether a target serves what was pushed.
    pub fn record_validated(&self, outcome: Outcome) {
        self.0
            .inner
            .families
            .distribution
            .validation
            .inc((outcome,));
    }
}

/// A child run of a distribution that was split.
#[derive(Debug)]
#[must_use = "the child run ends when this is dropped"]
pub struct ChildRun(Metrics);

impl Drop for ChildRun {
    fn drop(&mut self) {
        self.0.inner.families.distribution.fanout_children.dec();
    }
}

/// Records notifications sent.
#[derive(Clone, Copy, Debug)]
pub struct Notifications<'a>(pub(crate) &'a Metrics);

impl Notifications<'_> {
    /// Names every kind of channel in use, once, at start-up: their counters stand at 0 from then on.
    pub fn register<'n>(&self, channel_types: impl IntoIterator<Item = &'n str>) {
        let notifications = &self.0.inner.families.notifications;
        for name in channel_types {
            let channel = self.0.inner.words.channel_type(name);
            notifications.delivery_duration.touch((channel,));
            for outcome in Outcome::ALL {
                notifications.delivery.touch((channel, *outcome));
            }
        }
    }

    /// A notification was delivered or given up, after this long.
    pub fn record_delivered(&self, channel_type: &str, outcome: Outcome, took: Duration) {
        let channel = self.0.inner.words.channel_type(channel_type);
        let notifications = &self.0.inner.families.notifications;
        notifications.delivery.inc((channel, outcome));
        notifications
            .delivery_duration
            .observe((channel,), took, self.0.current_trace());
    }
}

/// Records what discovery found.
#[derive(Clone, Copy, Debug)]
pub struct Discovery<'a>(pub(crate) &'a Metrics);

impl Discovery<'_> {
    /// Replaces the sources and how many endpoints each found in its last run.
    pub fn set_sources<W: AsRef<str>>(&self, endpoints: impl IntoIterator<Item = (W, u64)>) {
        let rows: Vec<_> = endpoints
            .into_iter()
            .map(|(source, n)| ([source], n as f64))
            .collect();
        let discovery = &self.0.inner.families.discovery;
        discovery.sources.set(rows.len() as f64);
        discovery.endpoints.replace(rows);
    }

    /// Replaces the counts of open findings; a severity that is not named counts 0.
    pub fn set_findings(&self, open: impl IntoIterator<Item = (FindingSeverity, u64)>) {
        let mut counts = [0u64; 4];
        for (severity, n) in open {
            counts[severity as usize] += n;
        }
        let rows = FindingSeverity::ALL
            .iter()
            .map(|severity| ([severity.as_str()], counts[*severity as usize] as f64));
        self.0.inner.families.discovery.findings.replace(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registered_modules_and_channels_stand_at_zero_before_their_first_event() {
        let metrics = Metrics::new();
        metrics.distribution().register(["file"]);
        metrics.notifications().register(["mail"]);
        let text = metrics.render();
        for line in [
            r#"cap_distribution_executions_total{module="file",status="partial"} 0"#,
            r#"cap_distribution_target_result_total{module="file",error_class="none"} 0"#,
            r#"cap_distribution_target_result_total{module="file",error_class="validation"} 0"#,
            r#"cap_distribution_validation_total{status="failed"} 0"#,
            r#"cap_notification_delivery_total{channel_type="mail",status="failed"} 0"#,
            r#"cap_notification_delivery_duration_seconds_count{channel_type="mail"} 0"#,
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_child_run_is_active_until_it_ends_however_it_ends() {
        let metrics = Metrics::new();
        let active = || {
            let text = metrics.render();
            let line = |line: &str| {
                let value = line.strip_prefix("cap_distribution_fanout_children_active ")?;
                value.parse::<u8>().ok()
            };
            text.lines().find_map(line).expect("the gauge")
        };
        let first = metrics.distribution().start_child();
        let inside = metrics.clone();
        let second = std::thread::spawn(move || {
            let _child = inside.distribution().start_child();
            panic!("a module's bug");
        });
        assert!(second.join().is_err());
        assert_eq!(active(), 1);
        drop(first);
        assert_eq!(active(), 0);
    }

    #[test]
    fn a_discovery_source_that_is_gone_leaves_no_endpoints_and_a_severity_without_findings_counts_0()
     {
        let metrics = Metrics::new();
        let discovery = metrics.discovery();
        discovery.set_sources([("s1", 4), ("s2", 1)]);
        discovery.set_sources([("s2", 2)]);
        discovery.set_findings([(FindingSeverity::High, 3)]);
        discovery.set_findings([(FindingSeverity::Low, 1)]);
        let text = metrics.render();
        for line in [
            "cap_discovery_sources_total 1\n",
            "cap_discovery_endpoints_total{source_id=\"s2\"} 2\n",
            "cap_discovery_findings_open{severity=\"high\"} 0\n",
            "cap_discovery_findings_open{severity=\"low\"} 1\n",
        ] {
            assert!(text.contains(line), "{line} is not in\n{text}");
        }
        assert!(!text.contains("s1"), "{text}");
    }
}
