//! Certificates pushed to targets.

use std::sync::Arc;

use cap_names::{ClosedEnum as _, ErrorClass};

use crate::catalogue::labels::{ExecutionStatus, Outcome, TargetResult};
use crate::registry::Registry;

/// Records distributions to targets.
#[derive(Clone, Copy, Debug)]
pub struct Distribution<'a>(pub(crate) &'a Arc<Registry>);

impl Distribution<'_> {
    pub(crate) fn init(&self) {
        let distribution = &self.0.families.distribution;
        distribution.fanout.init(());
        for status in Outcome::ALL {
            distribution.validation.init((*status,));
        }
    }

    /// Registers every module, once at startup. Their counters are exposed as 0 from then on.
    pub fn register<'n>(&self, modules: impl IntoIterator<Item = &'n str>) {
        let distribution = &self.0.families.distribution;
        for name in modules {
            let module = self.0.words.module(name);
            for status in ExecutionStatus::ALL {
                distribution.executions.init((module, *status));
            }
            for answer in TargetResult::ALL {
                distribution.target_result.init((module, *answer));
            }
        }
    }

    /// A distribution run ended.
    pub fn record_executed(&self, module: &str, status: ExecutionStatus) {
        let module = self.0.words.module(module);
        self.0.families.distribution.executions.inc((module, status));
    }

    /// A target answered: with an error, or with `None` when it accepted the certificate.
    pub fn record_target_result(&self, module: &str, error: Option<ErrorClass>) {
        let module = self.0.words.module(module);
        let distribution = &self.0.families.distribution;
        distribution.target_result.inc((module, error.into()));
    }

    /// A distribution was split into child runs.
    pub fn record_fanned_out(&self) {
        self.0.families.distribution.fanout.inc(());
    }

    /// A child run begins. It is active until the returned value is dropped.
    pub fn start_child(&self) -> ChildRun {
        self.0.families.distribution.fanout_children.inc();
        ChildRun(Arc::clone(self.0))
    }

    /// A check whether a target serves the pushed certificate ended.
    pub fn record_validated(&self, outcome: Outcome) {
        self.0.families.distribution.validation.inc((outcome,));
    }
}

/// A child run of a distribution that was split.
#[derive(Debug)]
#[must_use = "the child run ends when this is dropped"]
pub struct ChildRun(Arc<Registry>);

impl Drop for ChildRun {
    fn drop(&mut self) {
        self.0.families.distribution.fanout_children.dec();
    }
}

#[cfg(test)]
mod tests {
    use crate::Metrics;

    #[test]
    fn registered_modules_are_zero_before_their_first_event() {
        let metrics = Metrics::new();
        metrics.distribution().register(["file"]);
        metrics.assert_shows([
            r#"cap_distribution_executions_total{module="file",status="partial"} 0"#,
            r#"cap_distribution_target_result_total{module="file",error_class="none"} 0"#,
            r#"cap_distribution_target_result_total{module="file",error_class="validation"} 0"#,
            r#"cap_distribution_validation_total{status="failed"} 0"#,
        ]);
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
}
