//! The handle that callers enqueue into, and the thread behind it.

mod connection;

use std::fmt;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use cap_egress::Guard;
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::format::Formatter;
use crate::ring::Ring;
use crate::status::{Report, State, Status};
use crate::stop::{Deadline, Stop, passed};
use connection::End;

const FIRST_BACKOFF: Duration = Duration::from_millis(100);
const LONGEST_BACKOFF: Duration = Duration::from_secs(10);

/// Forwards events to a relay. Clones share one buffer and one connection.
#[derive(Clone)]
pub struct Forwarder {
    shared: Arc<Shared>,
    stop: Arc<Stop>,
}

pub(crate) struct Shared {
    config: Config,
    formatter: Formatter,
    ring: Mutex<Ring>,
    link: Mutex<Link>,
    /// The thread waits for this when there is nothing to send.
    more: Notify,
}

struct Link {
    state: State,
    connections: u64,
    last_error: Option<String>,
}

impl Forwarder {
    /// Starts the forwarder on a thread of its own, from inside or outside any runtime. Connecting happens there: a relay that
    /// is away delays nothing.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or the system has no thread left.
    pub fn start(config: Config, guard: Guard) -> Result<Self, Error> {
        config.check()?;
        let shared = Arc::new(Shared {
            formatter: Formatter::new(&config, &std::process::id().to_string()),
            ring: Mutex::new(Ring::new(config.buffer_size)),
            link: Mutex::new(Link {
                state: State::Connecting,
                connections: 0,
                last_error: None,
            }),
            more: Notify::new(),
            config,
        });
        let (stop, stopping, running) = Stop::new();
        let thread_shared = Arc::clone(&shared);
        let (ready, started) = channel();
        thread::Builder::new()
            .name("cap-syslog".to_owned())
            .spawn(move || {
                let _running = running;
                // Made here: where it fails, it must not be dropped inside a runtime of the caller's.
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build();
                let (outcome, runtime) = match runtime {
                    Ok(runtime) => (Ok(()), Some(runtime)),
                    Err(error) => (Err(error), None),
                };
                let _ = ready.send(outcome);
                if let Some(runtime) = runtime {
                    runtime.block_on(run(&thread_shared, &guard, stopping));
                    thread_shared.link().state = State::Stopped;
                    let left = thread_shared.ring().len();
                    if left > 0 {
                        tracing::warn!(target: "cap_syslog", left, "audit events were not delivered");
                    }
                    // A name that is still being looked up must not hold up the end.
                    runtime.shutdown_background();
                }
            })
            .map_err(Kind::Thread)?;
        started
            .recv()
            .unwrap_or_else(|gone| Err(std::io::Error::other(gone)))
            .map_err(Kind::Thread)?;
        Ok(Forwarder {
            shared,
            stop: Arc::new(stop),
        })
    }

    /// Hands over an event. Never waits and never fails: when the buffer is full the oldest event makes room. After a shutdown
    /// the event stays in the buffer and counts as queued.
    ///
    /// What could never be sent, because a record is at most [`Config::max_message_size`] long, is not kept either.
    pub fn enqueue(&self, mut event: Event) {
        event.bound(self.shared.config.max_message_size);
        self.shared.ring().push(event);
        self.shared.more.notify_one();
    }

    /// A snapshot of the accounting and the connection.
    pub fn status(&self) -> Status {
        let link = self.shared.link();
        let (state, connections, last_error) =
            (link.state, link.connections, link.last_error.clone());
        drop(link);
        let ring = self.shared.ring();
        Status {
            state,
            enqueued: ring.enqueued,
            released: ring.released,
            dropped: ring.dropped,
            queued: ring.len() as u64,
            capacity: self.shared.config.buffer_size as u64,
            reconnects: connections.saturating_sub(1),
            last_error,
        }
    }

    /// Sends what is in the buffer, waits for the relay to acknowledge it, closes the connection and ends the thread, all
    /// within `deadline`. Blocks the calling thread for so long; in async code call it where blocking is allowed.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        if !self.stop.within(deadline) {
            tracing::warn!(target: "cap_syslog", "the syslog thread did not stop within the deadline");
        }
        let ring = self.shared.ring();
        Report {
            enqueued: ring.enqueued,
            released: ring.released,
            dropped: ring.dropped,
            queued: ring.len() as u64,
        }
    }
}

impl fmt::Debug for Forwarder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Forwarder")
            .field("status", &self.status())
            .finish()
    }
}

impl Shared {
    fn ring(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn link(&self) -> MutexGuard<'_, Link> {
        self.link.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn failed(&self, error: &dyn fmt::Display) {
        let text = error.to_string();
        let mut link = self.link();
        let news = link.state == State::Connected || link.last_error.as_ref() != Some(&text);
        link.state = State::Connecting;
        link.last_error = Some(text.clone());
        // Whoever takes in the log line may be slow, or may ask for the status.
        drop(link);
        if news {
            tracing::warn!(target: "cap_syslog", error = %text, "the syslog relay is not connected");
        }
    }
}

/// Connects, forwards until the connection ends, and again, until stopped.
async fn run(shared: &Shared, guard: &Guard, mut stopping: watch::Receiver<Deadline>) {
    let mut backoff = FIRST_BACKOFF;
    loop {
        let until = *stopping.borrow_and_update();
        if until.is_some_and(|until| until <= Instant::now() || shared.ring().len() == 0) {
            return;
        }
        let connected = tokio::select! {
            connected = guard.connect(&shared.config.host, shared.config.port) => connected,
            () = passed(until) => return,
            Ok(()) = stopping.changed() => continue,
        };
        match connected {
            Ok(stream) => {
                {
                    let mut link = shared.link();
                    link.state = State::Connected;
                    link.connections += 1;
                }
                tracing::info!(target: "cap_syslog", "connected to the syslog relay");
                let mut progress = false;
                let end = connection::forward(shared, stream, &mut stopping, &mut progress).await;
                shared.ring().rewind();
                if progress {
                    backoff = FIRST_BACKOFF;
                }
                match end {
                    End::Stopped => return,
                    End::Closed => shared.failed(&"the relay closed the connection"),
                    End::Broken(error) => shared.failed(&error),
                }
            }
            Err(error) => shared.failed(&error),
        }

        let until = *stopping.borrow_and_update();
        if until.is_some() {
            // There is little time left, and perhaps nothing to do.
            backoff = FIRST_BACKOFF;
            if shared.ring().len() == 0 {
                return;
            }
        }
        tokio::select! {
            () = tokio::time::sleep(jittered(backoff)) => {}
            () = passed(until) => return,
            Ok(()) = stopping.changed() => {}
        }
        backoff = (backoff * 2).min(LONGEST_BACKOFF);
    }
}

/// Between half and all of `backoff`, so that a fleet does not reconnect in step.
fn jittered(backoff: Duration) -> Duration {
    use std::hash::{BuildHasher as _, RandomState};
    let random = RandomState::new().hash_one(0) % 1000;
    backoff.mul_f64(0.5 + random as f64 / 2000.0)
}
