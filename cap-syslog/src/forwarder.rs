//! The handle that callers enqueue into, and the thread behind it.
//!
//! # Theory of operation
//!
//! Callers push events into a [`Ring`](crate::ring::Ring), the *buffer*. One thread with a
//! current-thread runtime formats, frames and writes them: `run` connects, backs off and connects
//! again; `stream` and `udp` drive one connection; `gap_fill` decides which event comes next;
//! `status_feed` publishes the status. Calls of the primary store and of the resolver run on the
//! runtime's blocking threads.
//!
//! ## The states of an event
//!
//! Events are numbered in the order in which they came. A ring keeps three positions, and always
//! `first <= acknowledged <= sent`:
//!
//! - from `sent` on, events are *unsent*;
//! - from `acknowledged` to `sent`, events are *sent*: the socket took their bytes;
//! - from `first` to `acknowledged`, events are *acknowledged*: the relay's TCP stack has their
//!   bytes, but the relay may die before it reads them, so they stay for the grace.
//!
//! An event leaves the ring in one of three ways. It is *delivered* when its grace has passed (over
//! UDP, when the network took its datagram). It is *dropped* when the ring is full; the oldest
//! event goes, and if that was acknowledged it counts as delivered. It is *quarantined* (and counts
//! as dropped) when `poison` found that the relay closes on it. So
//! `enqueued = delivered + dropped + queued` holds whenever the ring's lock is free. When a
//! connection ends, `sent` and `acknowledged` go back to `first`, and everything that is not
//! delivered is sent again.
//!
//! What was dropped widens the ring's *gap*: a count, and the first and the last id. Without a
//! store, or if the relay refuses each of the events, the next batch begins with a gap record.
//! Otherwise `gap_fill` takes the gap and pushes the store's events into a second ring, the
//! *stored* ring, which is sent before the buffer. A [`Cursor`](cursor::Cursor) says which of the
//! two rings a number belongs to.
//!
//! ## The release window
//!
//! TCP acknowledges bytes, so a connection counts them. [`Window`](window::Window) remembers for
//! each batch its last event and the byte after it. After each batch, and every 50 ms (a tenth of
//! the grace, if that is less) while a batch is in the window, `settle` asks the kernel how many of
//! the bytes written are not acknowledged (`SIOCOUTQ`; over TLS these are bytes of the session).
//! Batches whose bytes are all acknowledged get the time of the *grace clock*, and are delivered
//! when nine tenths of the grace have passed on it.
//!
//! The grace clock advances only at looks that find more bytes acknowledged than the look before,
//! or all of them, and by at most 45 percent of the grace at a time. A link that is cut in the
//! middle of a stream therefore stops the clock: nothing says whether the relay read what it had
//! acknowledged. After such a silence, `doubt` moves `acknowledged` back to `first`, so that an
//! event which is evicted counts as dropped. The next acknowledged batch restores it. Where the
//! kernel does not say what was acknowledged, all written bytes count as acknowledged.
//!
//! ## Ending a connection
//!
//! For a shutdown, for other settings and for failback, this side ends the connection. `Closing`
//! goes from `No` to `Announced` (the last bytes are being written) in one of two cases:
//!
//! - everything that has to be sent is sent, and the window is empty;
//! - too little time is left for a grace.
//!
//! It goes to `HalfClosed` after the last byte. If the relay then closes with every byte
//! acknowledged, it has read them, and the window is delivered. Other settings and failback leave
//! at most a second for all this, and send no new batch.
//!
//! ## Locks
//!
//! | lock | protects | held by callers | held by the thread |
//! |---|---|---|---|
//! | `connection` | what the status says about the connection | `status` | for an assignment |
//! | `stored` | the stored ring | `status`, `shutdown` | for 4 events, or a page of the store |
//! | `buffer` | the buffer | `enqueue` (1), `status`, `shutdown`, `reconfigure` | for 4 events |
//!
//! The 4 events are [`CHUNK`](crate::ring::CHUNK). The locks are taken in the order of the table.
//! Only `status` (all three) and `head` (the rings) hold more than one. No lock is held across an
//! await, I/O or a log line. `push` and `release_to` return their memory, which is freed after the
//! lock. A quarantine frees one event under it. Three calls take longer than a few events:
//! `reconfigure` to a smaller buffer drops the excess under the lock, a gap fill after that does
//! the same to the stored ring, and a gap record moves the entries on its shorter side by one. The
//! channels of settings and status have locks of their own, inside of which no other lock is taken.
//!
//! ## Orderings and wake-ups
//!
//! The one atomic is `message_size`, stored and loaded `Relaxed`. Nothing else is read because of
//! its value, and the event itself goes to the thread through the lock of the buffer. A stale value
//! only decides how much of an event is kept during a `reconfigure`; the formatter cuts again.
//!
//! `more` is a [`Notify`](tokio::sync::Notify), which keeps one permit, so a push between the look
//! at the buffer and the wait is not lost. After a batch that took all there was, the thread sets
//! `gather` under the lock of the buffer and sleeps on a timer of 20 ms instead. A push that sees
//! it notifies only when 128 events, or half of a small buffer, are unsent. Both the flag and the
//! count are read under the lock that changes them. `watched` works alike: a subscriber is counted
//! before it notifies.
//!
//! ## What is bounded by what
//!
//! | what | bound |
//! |---|---|
//! | events in the buffer, and in the stored ring | `buffer_size` each |
//! | text of one event | about six times `message_size`, usually one |
//! | memory that a ring keeps | 33 pages of 64 KiB, and 16,384 entries or the most it ever held |
//! | bytes waiting for the socket | one batch: 64 records |
//! | batches in the window | what the socket's buffer holds, and what the link carries in a grace |
//! | requests to the store | one at a time, of 1,024 events; three failures; half of a shutdown |
//! | pause between connections | 100 ms, doubled up to 10 s; 0.5 s during a search for poison |
//! | age of unacknowledged bytes | `stall_timeout` |
//! | shutdown | its deadline |

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
    /// Fills gaps from the caller's primary store of audit events. Default: none, and the relay
    /// gets a gap record.
    ///
    /// While a gap is being filled, the forwarder holds up to [`Config::buffer_size`] events from
    /// the store beside those in the buffer.
    pub fn backfill(mut self, store: impl Backfill) -> Self {
        self.store = Some(Arc::new(store));
        self
    }

    /// Starts the forwarder on its own thread; the caller may be inside or outside a runtime. The
    /// thread connects, so a relay that is away delays no caller.
    ///
    /// # Errors
    ///
    /// When the trust store cannot be read, a certificate of [`Tls`](crate::Tls) is wrong, or the
    /// system refuses a new thread.
    pub fn start(self) -> Result<Forwarder, Error> {
        let settings = Settings::new(self.config)?;
        let shared = Shared::new(settings, self.guard, self.store, self.unacknowledged);
        let shared = Arc::new(shared);
        let thread_shared = Arc::clone(&shared);
        let worker = Worker::start("cap-syslog", move |runtime, stop| {
            let control = Control { stop, settings: thread_shared.settings.subscribe() };
            runtime.run(work(&thread_shared, control));
        })
        .map_err(Kind::Thread)?;
        Ok(Forwarder { shared, worker: Arc::new(worker) })
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
    /// Prepares a forwarder to the relays of `config`, whose connections obey the egress policy of
    /// `guard`.
    pub fn builder(config: Config, guard: Guard) -> ForwarderBuilder {
        ForwarderBuilder { config, guard, store: None, unacknowledged: tcp::unacknowledged }
    }

    /// Adds an event to the buffer. Never waits for the relay and never fails: when the buffer is
    /// full, it drops the oldest event. After a shutdown the event stays in the buffer and counts
    /// as queued.
    ///
    /// The buffer does not keep what no record could carry, since a record is at most
    /// [`Config::message_size`] long.
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

    /// Applies other settings without losing an event. Events that are not delivered yet are sent
    /// again as the new settings say. A smaller buffer drops its oldest events.
    ///
    /// # Errors
    ///
    /// When the trust store cannot be read, or a certificate of [`Tls`](crate::Tls) is wrong. The
    /// old settings stay in force.
    pub fn reconfigure(&self, config: Config) -> Result<(), Error> {
        let settings = Settings::new(config)?;
        self.shared.buffer().resize(settings.config.buffer_size.get());
        let message_size = settings.config.message_size().get();
        self.shared.message_size.store(message_size, Ordering::Relaxed);
        self.shared.settings.send_replace(Arc::new(settings));
        Ok(())
    }

    /// Sends one test record with the settings in force on a connection of its own, as
    /// [`probe`](crate::probe()) does. Needs a Tokio runtime with I/O and time.
    pub async fn probe(&self) -> ProbeReport {
        let settings = Arc::clone(&self.shared.settings.borrow());
        probe::run(&settings, &self.shared.guard).await
    }

    /// A snapshot of the accounting and the connection.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// The status as a value to watch. It changes at most four times a second, however many events
    /// pass.
    pub fn subscribe(&self) -> watch::Receiver<Status> {
        self.shared.publish();
        let receiver = self.shared.status.subscribe();
        self.shared.watched.notify_one();
        receiver
    }

    /// Delivers the events in the buffer, closes the connection and ends the thread, all within
    /// `deadline`. Blocks the calling thread for at most that time and 200 ms; in async code, call
    /// it where blocking is allowed.
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
        f.debug_struct("Forwarder").field("status", &self.status()).finish()
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

    /// A forwarder whose thread finds nobody on the port, and does not touch the buffer.
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
        let builder = ForwarderBuilder { unacknowledged, ..builder };
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
    fn without_acknowledgements_the_grace_alone_decides() {
        let status = delivered_alone(|_| Ok(None));
        assert_eq!(status.delivered, 1);
        assert_eq!(status.confirmation, Confirmation::Written);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn with_acknowledgements_the_status_says_so() {
        let status = delivered_alone(tcp::unacknowledged);
        assert_eq!(status.delivered, 1);
        assert_eq!(status.confirmation, Confirmation::Acknowledged);
    }

    #[test]
    fn bytes_that_the_relay_lacks_are_never_delivered() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let forwarder = asking(&listener, |_| Ok(Some(1)));
        forwarder.enqueue(Event::new("e1", "t", Actor::system("test"), "m"));
        let report = forwarder.shutdown(Duration::from_secs(1));
        assert_eq!((report.delivered, report.queued), (0, 1));
    }
}
