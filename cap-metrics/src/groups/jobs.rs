//! The job queue.

use std::sync::Arc;
use std::time::Instant;

use cap_names::ClosedEnum as _;

use crate::catalogue::labels::{JobResult, JobType};
use crate::registry::Registry;

/// Records what the job queue does.
#[derive(Clone, Copy, Debug)]
pub struct Jobs<'a>(pub(crate) &'a Arc<Registry>);

impl Jobs<'_> {
    /// Registers every job type, once at startup. Their counters are exposed as 0 from then on.
    pub fn register<'n>(&self, types: impl IntoIterator<Item = &'n str>) {
        let jobs = &self.0.families.jobs;
        for name in types {
            let job_type = self.job_type(name);
            jobs.queued.init((job_type,));
            jobs.retry.init((job_type,));
            jobs.dead_letter.init((job_type,));
            jobs.duration.init((job_type,));
            for result in JobResult::ALL {
                jobs.completed.init((job_type, *result));
            }
        }
    }

    /// A job was put into the queue.
    pub fn record_queued(&self, job_type: &str) {
        let jobs = &self.0.families.jobs;
        jobs.queued.inc((self.job_type(job_type),));
    }

    /// An attempt begins. The returned value times it and counts how it ends.
    pub fn start(&self, job_type: &str) -> JobRun {
        JobRun {
            registry: Arc::clone(self.0),
            job_type: self.job_type(job_type),
            result: JobResult::Failed,
            started: Instant::now(),
        }
    }

    /// An attempt failed, and the job will be retried.
    pub fn record_retried(&self, job_type: &str) {
        let jobs = &self.0.families.jobs;
        jobs.retry.inc((self.job_type(job_type),));
    }

    /// A job was given up after its last attempt.
    pub fn record_dead_lettered(&self, job_type: &str) {
        let jobs = &self.0.families.jobs;
        jobs.dead_letter.inc((self.job_type(job_type),));
    }

    /// Replaces how many jobs of each type wait. A type that is not named is not exposed any more.
    pub fn set_queue_depth<W: AsRef<str>>(&self, waiting: impl IntoIterator<Item = (W, u64)>) {
        let rows = waiting.into_iter().map(|(job_type, depth)| ([job_type], depth as f64));
        self.0.families.jobs.queue_depth.replace(rows);
    }

    fn job_type(&self, name: &str) -> JobType {
        self.0.words.job_type(name)
    }
}

/// An attempt under way. If it is dropped without [`finish`](JobRun::finish), as by an error or a
/// panic, it counts as failed.
#[derive(Debug)]
#[must_use = "the attempt ends when this is dropped"]
pub struct JobRun {
    registry: Arc<Registry>,
    job_type: JobType,
    result: JobResult,
    started: Instant,
}

impl JobRun {
    /// The attempt ended with this result.
    pub fn finish(mut self, result: JobResult) {
        self.result = result;
    }
}

impl Drop for JobRun {
    fn drop(&mut self) {
        let jobs = &self.registry.families.jobs;
        jobs.completed.inc((self.job_type, self.result));
        jobs.duration.observe(
            (self.job_type,),
            self.started.elapsed(),
            self.registry.exemplar_ids(),
        );
    }
}

#[cfg(test)]
mod tests {
    use crate::Metrics;

    #[test]
    fn registered_types_are_zero_before_their_first_event() {
        let metrics = Metrics::new();
        metrics.jobs().register(["renew"]);
        metrics.assert_shows([
            r#"cap_jobs_queued_total{type="renew"} 0"#,
            r#"cap_jobs_completed_total{type="renew",result="partial"} 0"#,
            r#"cap_jobs_dead_letter_total{type="renew"} 0"#,
            r#"cap_jobs_duration_seconds_count{type="renew"} 0"#,
        ]);
    }

    #[test]
    fn a_run_that_is_forgotten_counts_as_failed() {
        let metrics = Metrics::new();
        drop(metrics.jobs().start("renew"));
        assert!(
            metrics
                .render()
                .contains(r#"cap_jobs_completed_total{type="renew",result="failed"} 1"#)
        );
    }

    #[test]
    fn a_queue_that_is_gone_leaves_no_depth_behind() {
        let metrics = Metrics::new();
        metrics.jobs().set_queue_depth([("renew", 3), ("issue", 1)]);
        metrics.jobs().set_queue_depth([("issue", 0)]);
        let text = metrics.render();
        assert!(text.contains(r#"cap_jobs_queue_depth{type="issue"} 0"#), "{text}");
        assert!(!text.contains(r#"cap_jobs_queue_depth{type="renew"}"#), "{text}");
    }
}
