//! How often a Test may be run: each one opens a connection to wherever an administrator says.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const PER_MINUTE: usize = 5;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct RateLimit(Mutex<Runs>);

#[derive(Debug, Default)]
struct Runs {
    begun: VecDeque<Instant>,
    running: bool,
}

/// A Test under way; the next one may begin when this is dropped.
#[derive(Debug)]
pub(super) struct Turn<'a>(&'a RateLimit);

impl RateLimit {
    /// Begins a Test.
    ///
    /// # Errors
    ///
    /// How long to wait.
    pub(super) fn begin(&self, now: Instant) -> Result<Turn<'_>, Duration> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let recent = |begun: &Instant| now.duration_since(*begun) < MINUTE;
        while runs.begun.front().is_some_and(|first| !recent(first)) {
            runs.begun.pop_front();
        }
        if runs.running {
            return Err(Duration::from_secs(3));
        }
        if runs.begun.len() >= PER_MINUTE {
            let first = runs.begun.front().copied().unwrap_or(now);
            return Err(MINUTE.saturating_sub(now.duration_since(first)));
        }
        runs.running = true;
        runs.begun.push_back(now);
        Ok(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut runs = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        runs.running = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_a_minute_and_one_at_a_time() {
        let (limit, start) = (RateLimit::default(), Instant::now());
        let first = limit.begin(start).expect("the first");
        assert!(limit.begin(start).is_err(), "one at a time");
        drop(first);
        for _ in 1..PER_MINUTE {
            limit.begin(start).expect("one of five");
        }
        let wait = limit
            .begin(start + Duration::from_secs(20))
            .expect_err("the sixth");
        assert_eq!(wait, Duration::from_secs(40));
        assert!(limit.begin(start + MINUTE).is_ok());
    }
}
