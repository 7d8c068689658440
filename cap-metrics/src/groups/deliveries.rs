//! What is pushed out and what is found outside: distribution, notifications, discovery.

use std::time::Duration;

use cap_names::{Closed as _, ErrorClass};

use crate::Metrics;
use crate::labels::{ExecutionStatus, FindingSeverity, Outcome};

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

    /// A distribution run ended.
    pub fn executed(&self, module: &str, status: ExecutionStatus) {
        let module = self.0.inner.words.module(module);
        self.0
            .inner
            .families
            .distribution
            .executions
            .inc((module, status));
    }

    /// A target answered; `None` means it took the certificate.
    pub fn target_answered(&self, module: &str, error: Option<ErrorClass>) {
        let module = self.0.inner.words.module(module);
        let distribution = &self.0.inner.families.distribution;
        distribution.target_result.inc((module, error.into()));
    }

    /// A distribution was split into child runs.
    pub fn fanned_out(&self) {
        self.0.inner.families.distribution.fanout.inc(());
    }

    /// A child run began.
    pub fn child_started(&self) {
        self.0.inner.families.distribution.fanout_children.inc();
    }

    /// A child run ended.
    pub fn child_ended(&self) {
        self.0.inner.families.distribution.fanout_children.dec();
    }

    /// It was checked whether a target serves what was pushed.
    pub fn validated(&self, outcome: Outcome) {
        self.0
            .inner
            .families
            .distribution
            .validation
            .inc((outcome,));
    }
}

/// Records notifications sent.
#[derive(Clone, Copy, Debug)]
pub struct Notifications<'a>(pub(crate) &'a Metrics);

impl Notifications<'_> {
    /// A notification was delivered or given up, after this long.
    pub fn delivered(&self, channel_type: &str, outcome: Outcome, took: Duration) {
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
