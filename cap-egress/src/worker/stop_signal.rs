//! What a thread sees of the request to end.

use std::time::Instant;

use tokio::sync::watch;

/// When the thread must have ended; `None` until it is asked to.
pub type Deadline = Option<Instant>;

/// The thread's end of the request to stop.
///
/// A clone has seen what the original has seen, and sees later changes by itself.
#[derive(Clone, Debug)]
pub struct StopSignal {
    deadline: watch::Receiver<Deadline>,
    /// Keeps the channel open after the handle is gone, so that waiting for a change never fails.
    _sender: watch::Sender<Deadline>,
}

impl StopSignal {
    /// A signal that never comes, for work without a thread that someone stops.
    pub fn never() -> Self {
        Self::channel().1
    }

    pub(super) fn channel() -> (watch::Sender<Deadline>, Self) {
        let (sender, deadline) = watch::channel(None);
        let signal = Self { deadline, _sender: sender.clone() };
        (sender, signal)
    }

    /// The deadline, which counts as seen from here on.
    pub fn deadline(&mut self) -> Deadline {
        *self.deadline.borrow_and_update()
    }

    /// Whether the thread is asked to end.
    pub fn is_requested(&self) -> bool {
        self.deadline.borrow().is_some()
    }

    /// Waits until the thread is asked to end. Returns at once if it already is.
    ///
    /// Cancel safe.
    pub async fn requested(&mut self) {
        // The sender in `self` keeps the channel open.
        let _ = self.deadline.wait_for(Option::is_some).await;
    }

    /// Waits for a deadline that has not been seen: the first one, or an earlier one.
    ///
    /// Cancel safe.
    pub async fn changed(&mut self) {
        // The sender in `self` keeps the channel open.
        let _ = self.deadline.changed().await;
    }
}

/// Sleeps until the deadline; without one, forever.
pub async fn passed(deadline: Deadline) {
    match deadline {
        Some(until) => tokio::time::sleep_until(until.into()).await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_deadline_is_seen_once() {
        let (sender, mut stop) = StopSignal::channel();
        let quiet = Duration::from_millis(1);
        assert!(!stop.is_requested());
        assert!(tokio::time::timeout(quiet, stop.changed()).await.is_err());

        let until = Instant::now();
        sender.send_replace(Some(until));
        drop(sender);
        stop.changed().await;
        assert_eq!(stop.deadline(), Some(until));
        assert!(tokio::time::timeout(quiet, stop.changed()).await.is_err());
        stop.requested().await;
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_deadline_none_passes() {
        let year = Duration::from_secs(365 * 24 * 60 * 60);
        assert!(tokio::time::timeout(year, passed(None)).await.is_err());
        passed(Some(Instant::now())).await;
    }
}
