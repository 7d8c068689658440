//! Asking a thread to end by a deadline, and waiting for it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

/// The deadline by which the thread is to end, once there is one.
pub(crate) type Deadline = Option<Instant>;

/// Past a deadline the thread gets this much to notice it.
const MARGIN: Duration = Duration::from_millis(200);
/// What a thread gets whose last handle is dropped without a shutdown.
const LINGER: Duration = Duration::from_secs(2);
/// As good as for ever, and safe to add to an instant.
const LONG: Duration = Duration::from_secs(365 * 24 * 3600);

#[derive(Debug)]
pub(crate) struct Stop {
    deadline: watch::Sender<Deadline>,
    ended: Arc<(Mutex<bool>, Condvar)>,
}

/// Held by the thread: dropping it, on whatever way out, says that the thread has ended.
#[derive(Debug)]
pub(crate) struct Running {
    ended: Arc<(Mutex<bool>, Condvar)>,
    /// The thread has a sender as well, so that the channel is never closed under it.
    _deadline: watch::Sender<Deadline>,
}

impl Stop {
    pub(crate) fn new() -> (Self, watch::Receiver<Deadline>, Running) {
        let (deadline, stopping) = watch::channel(None);
        let ended = Arc::default();
        let running = Running {
            ended: Arc::clone(&ended),
            _deadline: deadline.clone(),
        };
        (Stop { deadline, ended }, stopping, running)
    }

    /// Asks for the end within `limit` and waits for it. Of several deadlines the earliest counts for the thread; each caller
    /// waits for its own. Says whether the thread has ended.
    pub(crate) fn within(&self, limit: Duration) -> bool {
        let limit = limit.min(LONG);
        self.end_by(Instant::now() + limit);
        let (ended, changed) = &*self.ended;
        let ended = ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(ended, limit + MARGIN, |ended| !*ended);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn end_by(&self, until: Instant) {
        self.deadline.send_modify(|deadline| {
            *deadline = Some(deadline.map_or(until, |earlier| earlier.min(until)));
        });
    }
}

/// Nobody can ask any more: the thread gets a moment to deliver what it has, and nobody waits for it.
impl Drop for Stop {
    fn drop(&mut self) {
        self.end_by(Instant::now() + LINGER);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let (ended, changed) = &*self.ended;
        *ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        changed.notify_all();
    }
}

/// Ends at the deadline; without one, never.
pub(crate) async fn passed(deadline: Deadline) {
    match deadline {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}
