//! The handle that callers enqueue into, and the thread behind it.

mod backlog;
mod builder;
mod connection;
mod datagrams;
mod orders;
mod publish;
mod run;
mod settings;
mod shared;
mod suspicion;
mod window;
pub(crate) mod wire;

use std::fmt;
use std::sync::atomic::Ordering;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use cap_egress::Guard;
use chrono::Utc;
use tokio::sync::{Notify, watch};

use crate::config::Config;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::probe::ProbeReport;
use crate::relay_error::RelayError;
use crate::ring::Ring;
use crate::status::{Report, State, Status};
use crate::stop::Stop;
pub use builder::ForwarderBuilder;
use orders::Orders;
pub(crate) use settings::{Link, Settings};
use shared::{STORED, Shared, Standing};

/// Forwards events to a relay. Clones share one buffer and one connection.
#[derive(Clone)]
pub struct Forwarder {
    shared: Arc<Shared>,
    stop: Arc<Stop>,
}

/// How a connection ended.
enum End {
    /// It was left: for the end, for other settings or for another relay.
    Left,
    Broken(RelayError),
}

impl Forwarder {
    /// A builder that starts a forwarder to the relay of `config`, with its connections under the policy of `guard`.
    pub fn builder(config: Config, guard: Guard) -> ForwarderBuilder {
        ForwarderBuilder::new(config, guard)
    }

    fn start(builder: ForwarderBuilder) -> Result<Self, Error> {
        let ForwarderBuilder {
            config,
            guard,
            store,
            ask,
        } = builder;
        let settings = Settings::new(config)?;
        let ring = Ring::new(settings.config.buffer_size);
        let standing = Standing {
            state: State::Connecting,
            since: Utc::now(),
            relay: None,
            connections: 0,
            last_success: None,
            last_error: None,
            told: cfg!(target_os = "linux"),
        };
        let stored = Ring::numbered_from(STORED, settings.config.buffer_size);
        let status = standing.status(&settings, &ring, &stored);
        let shared = Arc::new(Shared {
            guard,
            ask,
            message_size: settings.config.message_size().into(),
            settings: watch::Sender::new(Arc::new(settings)),
            ring: Mutex::new(ring),
            stored: Mutex::new(stored),
            store,
            standing: Mutex::new(standing),
            more: Notify::new(),
            status: watch::Sender::new(status),
            watched: Notify::new(),
        });
        let (stop, stopping, running) = Stop::new();
        let orders = Orders {
            stopping,
            settings: shared.settings.subscribe(),
        };
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
                    runtime.block_on(async {
                        tokio::select! {
                            () = run::run(&thread_shared, orders) => {}
                            () = publish::publish(&thread_shared) => {}
                        }
                    });
                    thread_shared.standing().enter(State::Stopped);
                    thread_shared.publish();
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
    /// What could never be sent, because a record is at most [`Config::message_size`] long, is not kept either.
    pub fn enqueue(&self, mut event: Event) {
        event.bound(self.shared.message_size.load(Ordering::Relaxed));
        let mut ring = self.shared.ring();
        let freed = ring.push(&mut event);
        let calls = ring.calls();
        drop(ring);
        if calls {
            self.shared.more.notify_one();
        }
        // When nobody waits for the lock any more.
        drop((freed, event));
    }

    /// Takes over other settings without losing an event: what is not yet released is sent again where the new settings say.
    /// With a smaller buffer, the oldest events make room as they do for new ones.
    ///
    /// # Errors
    ///
    /// When a setting cannot work; the old ones then stay in force.
    pub fn reconfigure(&self, config: Config) -> Result<(), Error> {
        let settings = Settings::new(config)?;
        self.shared.ring().resize(settings.config.buffer_size);
        let message_size = settings.config.message_size();
        self.shared
            .message_size
            .store(message_size, Ordering::Relaxed);
        self.shared.settings.send_replace(Arc::new(settings));
        Ok(())
    }

    /// Sends one test record with the settings in force, on a connection of its own, and says how far it came: [`probe`](crate::probe()). Needs
    /// a tokio runtime with I/O and time.
    pub async fn probe(&self) -> ProbeReport {
        let settings = Arc::clone(&self.shared.settings.borrow());
        crate::probe::run(&settings, &self.shared.guard).await
    }

    /// A snapshot of the accounting and the connection.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// The same as a value to watch. It changes at most four times a second, however many events pass.
    pub fn subscribe(&self) -> watch::Receiver<Status> {
        self.shared.publish();
        let receiver = self.shared.status.subscribe();
        self.shared.watched.notify_one();
        receiver
    }

    /// Sends what is in the buffer, waits for the relay to acknowledge it, closes the connection and ends the thread, all
    /// within `deadline`. Blocks the calling thread for so long; in async code call it where blocking is allowed.
    pub fn shutdown(&self, deadline: Duration) -> Report {
        if !self.stop.within(deadline) {
            tracing::warn!(target: "cap_syslog", "the syslog thread did not stop within the deadline");
        }
        let backfilled = self.shared.stored().delivered;
        let ring = self.shared.ring();
        Report {
            enqueued: ring.enqueued,
            delivered: ring.delivered,
            dropped: ring.dropped,
            backfilled,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::Confirmation;
    use crate::tcp::{self, Ask};
    use cap_egress::Policy;
    use cap_names::Actor;
    use std::net::TcpListener;
    use std::time::Instant;

    /// One whose own thread connects to a port where nobody listens, and leaves the buffer alone.
    pub(super) fn cut_off() -> Forwarder {
        let away = Config::new("127.0.0.1".parse().expect("a host"), 1);
        Forwarder::builder(away, Guard::new(Policy::default()))
            .start()
            .expect("a sound configuration")
    }

    fn config(to: &TcpListener) -> Config {
        let to = to.local_addr().expect("bound");
        let mut config = Config::new(to.ip().into(), to.port());
        config.grace = Duration::from_millis(100);
        config
    }

    fn asking(listener: &TcpListener, ask: Ask) -> Forwarder {
        let builder = Forwarder::builder(config(listener), Guard::new(Policy::default()));
        let builder = ForwarderBuilder { ask, ..builder };
        builder.start().expect("a sound configuration")
    }

    fn delivered_alone(ask: Ask) -> Status {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let forwarder = asking(&listener, ask);
        let start = Instant::now();
        forwarder.enqueue(Event::new("e1", "t", Actor::system("test"), "m"));
        let status = loop {
            let status = forwarder.status();
            if status.delivered == 1 || start.elapsed() > Duration::from_secs(20) {
                break status;
            }
            thread::yield_now();
        };
        assert!(start.elapsed() >= Duration::from_millis(90), "the grace");
        status
    }

    #[test]
    fn where_the_kernel_does_not_tell_the_grace_alone_decides_and_the_status_says_so() {
        let status = delivered_alone(|_| Ok(None));
        assert_eq!(status.delivered, 1);
        assert_eq!(status.confirmation, Confirmation::Written);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn where_it_tells_the_status_says_that_events_are_acknowledged() {
        let status = delivered_alone(tcp::unacknowledged);
        assert_eq!(status.delivered, 1);
        assert_eq!(status.confirmation, Confirmation::Acknowledged);
    }

    #[test]
    fn what_the_relay_lacks_is_not_released_however_long_it_takes() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let forwarder = asking(&listener, |_| Ok(Some(1)));
        forwarder.enqueue(Event::new("e1", "t", Actor::system("test"), "m"));
        let report = forwarder.shutdown(Duration::from_secs(1));
        assert_eq!((report.delivered, report.queued), (0, 1));
    }
}
