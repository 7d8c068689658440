//! The rate limit of Tests, each of which connects to an address that an administrator chose.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

const PER_MINUTE: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);
/// What a caller should wait while another Test runs.
const WHILE_RUNNING: Duration = Duration::from_secs(3);

#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<Runs>);

#[derive(Debug, Default)]
struct Runs {
    started: VecDeque<Instant>,
    running: bool,
}

/// A running Test. The next may start when this is dropped.
#[derive(Debug)]
pub(super) struct Permit<'a>(&'a RateLimit);

impl RateLimit {
    /// Starts a Test.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub(super) fn acquire(&self, now: Instant) -> Result<Permit<'_>, Duration> {
        let mut runs = self.runs();
        if runs.running {
            return Err(WHILE_RUNNING);
        }
        runs.started.retain(|start| now.duration_since(*start) < MINUTE);
        if runs.started.len() >= PER_MINUTE
            && let Some(first) = runs.started.front()
        {
            return Err(MINUTE.saturating_sub(now.duration_since(*first)));
        }
        runs.running = true;
        runs.started.push_back(now);
        Ok(Permit(self))
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit<'_> {
    fn drop(&mut self) {
        self.0.runs().running = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_minute_and_one_at_a_time() {
        let (limit, start) = (RateLimit::default(), Instant::now());
        let first = limit.acquire(start).expect("the first");
        assert!(limit.acquire(start).is_err(), "one at a time");
        drop(first);
        for _ in 1..PER_MINUTE {
            limit.acquire(start).expect("one of five");
        }
        let later = start + Duration::from_secs(20);
        let wait = limit.acquire(later).expect_err("the sixth");
        assert_eq!(wait, Duration::from_secs(40));
        assert!(limit.acquire(start + MINUTE).is_ok());
    }
}
