//! A thread with its own runtime, which a handle stops by a deadline.
//!
//! Each pipeline that sends has one. The caller may be inside a runtime, outside of any, or in
//! one that is about to end; the pipeline depends on none of them.
//!
//! ```
//! use std::time::Duration;
//!
//! let worker = cap_egress::worker::Worker::start("example", |runtime, mut stop| {
//!     runtime.run(async move {
//!         stop.requested().await;
//!         // Send what is left, until `stop.deadline()`.
//!     });
//! })?;
//! worker.stop_within(Duration::from_secs(5))?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use std::io;
use std::sync::mpsc::channel;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::watch;

mod stop_signal;

pub use stop_signal::{Deadline, StopSignal, passed};

/// What a thread gets past its deadline to notice it.
const MARGIN: Duration = Duration::from_millis(200);
/// What a thread gets to send the rest when its handle is dropped without a stop.
const LINGER: Duration = Duration::from_secs(2);
/// Keeps `now + limit` from overflowing.
const LONGEST_LIMIT: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// The handle of a running thread.
///
/// Dropping the handle asks the thread to end within two seconds, and does not wait for it.
#[derive(Debug)]
pub struct Worker {
    deadline: watch::Sender<Deadline>,
    end: Arc<End>,
}

/// The runtime of one thread: current-thread, with I/O and time.
#[derive(Debug)]
pub struct Runtime(tokio::runtime::Runtime);

/// The thread did not end by the deadline of [`Worker::stop_within`]. It may still end later.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the thread did not stop within the deadline")]
pub struct StillRunning;

/// Whether the thread has ended, and what wakes those who wait for that.
#[derive(Debug, Default)]
struct End {
    reached: Mutex<bool>,
    changed: Condvar,
}

/// Held by the thread. Dropping it, on return and on panic alike, says that the thread has ended.
struct Running(Arc<End>);

impl Worker {
    /// Starts a thread called `name` and runs `work` on it.
    ///
    /// Returns once the thread has its runtime. `work` makes the future on the thread, so that the
    /// future need not be `Send`, and runs it with [`Runtime::run`].
    ///
    /// # Errors
    ///
    /// The system refuses the thread or what the runtime needs.
    pub fn start<F>(name: &str, work: F) -> io::Result<Self>
    where
        F: FnOnce(Runtime, StopSignal) + Send + 'static,
    {
        let (deadline, stop) = StopSignal::channel();
        let end = Arc::<End>::default();
        let running = Running(Arc::clone(&end));
        let (ready, started) = channel();
        thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _running = running;
            // Built here, because a runtime that is dropped inside the caller's runtime panics.
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            match runtime {
                Ok(runtime) => {
                    let _ = ready.send(Ok(()));
                    work(Runtime(runtime), stop);
                }
                Err(error) => {
                    let _ = ready.send(Err(error));
                }
            }
        })?;
        started.recv().map_err(io::Error::other)??;
        Ok(Self { deadline, end })
    }

    /// Asks the thread to end within `limit`, and blocks until it has ended.
    ///
    /// Of several deadlines the earliest holds for the thread, and each caller waits for its own. A
    /// limit counts as a year at most. The wait takes up to 200 ms longer than `limit`, in which
    /// the thread notices the deadline.
    ///
    /// # Errors
    ///
    /// The thread was still running when the wait ended.
    pub fn stop_within(&self, limit: Duration) -> Result<(), StillRunning> {
        let limit = limit.min(LONGEST_LIMIT);
        self.end_by(Instant::now() + limit);
        let End { reached, changed } = &*self.end;
        let (reached, _) = changed
            .wait_timeout_while(
                reached.lock().unwrap_or_else(PoisonError::into_inner),
                limit + MARGIN,
                |reached| !*reached,
            )
            .unwrap_or_else(PoisonError::into_inner);
        if *reached { Ok(()) } else { Err(StillRunning) }
    }

    fn end_by(&self, until: Instant) {
        self.deadline.send_modify(|deadline| {
            *deadline = Some(deadline.map_or(until, |earlier| earlier.min(until)));
        });
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.end_by(Instant::now() + LINGER);
    }
}

impl Runtime {
    /// Runs `future` to its end, then takes the runtime down without waiting for blocking tasks.
    ///
    /// A name that the system's resolver still looks up is such a task, and cannot delay the end.
    pub fn run(self, future: impl Future<Output = ()>) {
        self.0.block_on(future);
        self.0.shutdown_background();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.reached.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(10);

    /// A thread that takes as long to end as it is allowed to.
    fn last_moment() -> Worker {
        Worker::start("test", |runtime, mut stop| {
            runtime.run(async move {
                stop.requested().await;
                passed(stop.deadline()).await;
            });
        })
        .unwrap()
    }

    #[test]
    fn a_thread_that_is_asked_to_stop_ends_by_its_deadline() {
        let worker = last_moment();
        assert_eq!(worker.stop_within(Duration::from_millis(5)), Ok(()));
    }

    #[test]
    fn of_several_deadlines_the_earliest_holds() {
        let worker = last_moment();
        worker.end_by(Instant::now() + Duration::from_millis(5));
        assert_eq!(worker.stop_within(SOON * 6), Ok(()));
        assert!(worker.deadline.borrow().unwrap() < Instant::now());
    }

    #[test]
    fn a_thread_that_does_not_end_is_reported() {
        let (release, held) = channel::<()>();
        let worker = Worker::start("test", move |_runtime, _stop| {
            let _ = held.recv();
        })
        .unwrap();
        assert_eq!(worker.stop_within(Duration::ZERO), Err(StillRunning));
        drop(release);
        assert_eq!(worker.stop_within(SOON), Ok(()));
    }

    #[test]
    fn a_thread_whose_handle_is_dropped_gets_two_seconds() {
        let (asked, deadline) = channel();
        let worker = Worker::start("test", move |runtime, mut stop| {
            runtime.run(async move {
                stop.requested().await;
                asked.send(stop.deadline().unwrap()).unwrap();
            });
        });
        let before = Instant::now();
        drop(worker);
        let left = deadline.recv_timeout(SOON).unwrap() - before;
        assert!(left >= LINGER && left < LINGER + SOON, "{left:?}");
    }

    #[test]
    fn a_thread_that_panics_has_ended() {
        let worker = Worker::start("test", |_runtime, _stop| {
            std::panic::resume_unwind(Box::new("the test's own"));
        });
        assert_eq!(worker.unwrap().stop_within(SOON), Ok(()));
    }

    #[test]
    fn a_blocking_task_does_not_delay_the_end() {
        let (release, held) = channel::<()>();
        let worker = Worker::start("test", move |runtime, _stop| {
            runtime.run(async move {
                tokio::task::spawn_blocking(move || held.recv());
            });
        })
        .unwrap();
        assert_eq!(worker.stop_within(SOON), Ok(()));
        drop(release);
    }

    #[tokio::test]
    async fn a_worker_starts_and_stops_inside_a_runtime() {
        let worker = last_moment();
        assert_eq!(worker.stop_within(Duration::from_millis(5)), Ok(()));
    }

    #[test]
    fn the_longest_limit_does_not_overflow() {
        let worker = Worker::start("test", |runtime, mut stop| {
            runtime.run(async move { stop.requested().await });
        });
        assert_eq!(worker.unwrap().stop_within(Duration::MAX), Ok(()));
    }
}
