//! The handle that callers enqueue into, and the thread behind it.

mod connection;
mod control;
mod cursor;
mod gap_fill;
mod poison;
mod run;
mod session;
mod shared;
mod status_feed;
mod stream;
mod udp;
mod window;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cap_egress::Guard;
use cap_egress::worker::Worker;
use tokio::sync::watch;

use crate::backfill::Backfill;
use crate::config::Config;
use crate::error::{Error, Kind};
use crate::event::Event;
use crate::probe::{self, ProbeReport};
use crate::relay::Settings;
use crate::relay::tcp::{self, Unacknowledged};
use crate::status::{Report, State, Status};
use control::Control;
use shared::Shared;

/// Forwards events to a relay. Clones share one buffer and one connection.
#[derive(Clone)]
pub struct Forwarder {
    shared: Arc<Shared>,
    worker: Arc<Worker>,
}

/// Starts a forwarder; made by [`Forwarder::builder`].
#[must_use = "`start` starts the forwarder"]
pub struct ForwarderBuilder {
    config: Config,
    guard: Guard,
    store: Option<Arc<dyn Backfill>>,
    unacknowledged: Unacknowledged,
}

impl ForwarderBuilder {
    /// Fills gaps from the caller's primary store of audit events. Default: none, and the relay gets a gap record.
    ///
    /// While a gap is being filled, the forwarder holds up to [`Config::buffer_size`] events from the store beside those in
    /// the buffer.
    pub fn backfill(mut self, store: impl Backfill) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Starts the forwarder on its own thread; the caller may be inside or outside a runtime. The thread connects, so a relay
    /// that is away delays no caller.
    ///
    /// # Errors
    ///
    /// When a setting cannot work, or the system refuses a new thread.
    pub fn start(self) -> Result<Forwarder, Error> {
        let settings = Settings::new(self.config)?;
        let shared = Shared::new(settings, self.guard, self.store, self.unacknowledged);
        let shared = Arc::new(shared);
        let thread_shared = Arc::clone(&shared);
        let worker = Worker::start("cap-syslog", move |runtime, stop| {
            let control = Control {
                stop,
                settings: thread_shared.settings.subscribe(),
            };
            runtime.run(work(&thread_shared, control));
        })
        .map_err(Kind::Thread)?;
        Ok(Forwarder {
            shared,
            worker: Arc::new(worker),
        })
    }
}

/// What the thread does.
async fn work(shared: &Shared, control: Control) {
    tokio::select! {
        () = run::run(shared, control) => {}
        () = status_feed::publish(shared) => {}
    }
    shared.connection().enter(State::Stopped);
    shared.publish();
    let queued = shared.buffer().len();
    if queued > 0 {
        tracing::warn!(target: "cap_syslog", queued, "audit events were not delivered");
    }
}

impl Forwarder {
    /// Prepares a forwarder to the relays of `config`, whose connections obey the egress policy of `guard`.
    pub fn builder(config: Config, guard: Guard) -> ForwarderBuilder {
        ForwarderBuilder {
            config,
            guard,
            store: None,
            unacknowledged: tcp::unacknowledged,
        }
    }

    /// Adds an event to the buffer. Never waits for the relay and never fails: when the buffer is full, it drops the oldest
    /// event. After a shutdown the event stays in the buffer and counts as queued.
    ///
    /// The buffer does not keep what no record could carry, since a record is at most [`Config::message_size`] long.
    pub fn enqueue(&self, mut event: Event) {
        event.bound(self.shared.message_size.load(Ordering::Relaxed));
        let mut buffer = self.shared.buffer();
        let deferred = buffer.push(&mut event);
        let wake = buffer.should_wake();
        drop(buffer);
        if wake {
            self.shared.more.notify_one();
        }
        // The lock is free again before the memory is freed.
        drop((deferred, event));
    }

    /// Takes over other settings without losing an event: what is not yet released is sent again where the new settings say.
    /// With a smaller buffer, the oldest events make room as they do for new ones.
    ///
    /// # Errors
    ///
    /// When a setting cannot work; the old ones then stay in force.
    pub fn reconfigure(&self, config: Config) -> Result<(), Error> {
        let settings = Settings::new(config)?;
        self.shared
            .buffer()
            .resize(settings.config.buffer_size.get());
        let message_size = settings.config.message_size().get();
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
        probe::run(&settings, &self.shared.guard).await
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
        if self.worker.stop_within(deadline).is_err() {
            tracing::warn!(target: "cap_syslog", "the syslog thread did not stop within the deadline");
        }
        let backfilled = self.shared.stored().delivered;
        let buffer = self.shared.buffer();
        Report {
            enqueued: buffer.enqueued,
            delivered: buffer.delivered,
            dropped: buffer.dropped,
            backfilled,
            queued: buffer.len() as u64,
        }
    }
}

impl fmt::Debug for ForwarderBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ForwarderBuilder")
            .field("config", &self.config)
            .field("backfill", &self.store.is_some())
            .finish_non_exhaustive()
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
    use std::thread;

    use super::*;
    use crate::status::Confirmation;
    use cap_egress::Policy;
    use cap_names::Actor;
    use std::net::TcpListener;
    use std::time::Instant;

    /// One whose own thread connects to a port where nobody listens, and leaves the buffer alone.
    pub(super) fn cut_off() -> Forwarder {
        let away = Config::new("127.0.0.1:1".parse().expect("a relay"));
        Forwarder::builder(away, Guard::new(Policy::default()))
            .start()
            .expect("a sound configuration")
    }

    fn config(to: &TcpListener) -> Config {
        let to = to.local_addr().expect("bound");
        let mut config = Config::new(to.try_into().expect("a port"));
        config.grace = Duration::from_millis(100).try_into().expect("in bounds");
        config
    }

    fn asking(listener: &TcpListener, unacknowledged: Unacknowledged) -> Forwarder {
        let builder = Forwarder::builder(config(listener), Guard::new(Policy::default()));
        let builder = ForwarderBuilder {
            unacknowledged,
            ..builder
        };
        builder.start().expect("a sound configuration")
    }

    fn delivered_alone(unacknowledged: Unacknowledged) -> Status {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let forwarder = asking(&listener, unacknowledged);
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
