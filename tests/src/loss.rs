//! What a real rsyslog misses when it is killed, wedged or cut off while audit events flow.

mod command;
mod fault;
mod outcome;

use crate::Authority;
use crate::peers::{Relay, RelayInput, RelayRecord, RelaySoftware};
use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{Backfill, BackfillError, Config, Event, Forwarder, Framing, Tls, Transport};
pub use command::{Options, campaign};
pub use fault::Fault;
pub use outcome::Outcome;
use std::io;
use std::ops::Bound;
use std::path::Path;
use std::time::{Duration, Instant};

/// How long an acknowledged event is kept, as by default.
const GRACE: Duration = Duration::from_millis(500);
/// The time the forwarder has to deliver the rest.
const SHUTDOWN: Duration = Duration::from_secs(60);
/// The time the relay has to write its records.
const WRITING: Duration = Duration::from_secs(30);

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// The fault of the relay.
    pub fault: Fault,
    /// [`RelayInput::OctetCounting`] or [`RelayInput::Tls`].
    pub input: RelayInput,
    /// Events to send,
    pub events: u64,
    /// and how many of them a second.
    pub rate: u64,
    /// Events that the forwarder holds at most.
    pub buffer: u64,
}

impl Run {
    /// Sends the events through the fault and compares what came with what was sent.
    ///
    /// # Errors
    /// When the relay (`program`, an rsyslog) does not start, or its records cannot be read.
    ///
    /// # Panics
    /// When the input is not one of a stream.
    pub async fn run(&self, program: &Path) -> io::Result<Outcome> {
        let authority = Authority::new();
        let mut relay = Relay::start(RelaySoftware::Rsyslog, program, &authority).await?;
        if self.fault.outlasts_the_buffer() {
            relay.stop().await?;
        }
        let forwarder = self.forwarder(&relay, &authority);
        let sending = tokio::task::spawn_blocking({
            let (run, forwarder) = (*self, forwarder.clone());
            move || run.send(&forwarder)
        });
        let lasts = Duration::from_millis(self.events * 1000 / self.rate);
        let faults = self.fault.strike(&mut relay, lasts).await?;
        let longest_enqueue = sending.await.map_err(io::Error::other)?;
        if relay.process().is_none() {
            relay.start().await?;
        }
        let report = tokio::task::spawn_blocking({
            let forwarder = forwarder.clone();
            move || forwarder.shutdown(SHUTDOWN)
        });
        let report = report.await.map_err(io::Error::other)?;
        // An rsyslog that gets SIGTERM drops after 1.5 s what it has read and not yet written.
        let last = Some(format!("e{}", self.events - 1));
        let written = |records: &[RelayRecord]| {
            records.last().is_some_and(|record| record.event_id() == last)
        };
        relay.wait_until(written, WRITING).await;
        relay.stop().await?;
        let status = forwarder.status();
        let ids = relay.records()?;
        let ids = ids.iter().filter_map(RelayRecord::event_id);
        let mut outcome = Outcome::of(ids, self.events, &report);
        outcome.faults = faults;
        outcome.reconnects = status.reconnects;
        outcome.longest_enqueue = longest_enqueue;
        Ok(outcome)
    }

    /// The most duplicates to expect: the events of one grace period for each fault.
    pub fn duplicates_at_most(&self, outcome: &Outcome) -> u64 {
        self.rate * GRACE.as_millis() as u64 / 1000 * outcome.faults
    }

    fn forwarder(&self, relay: &Relay, authority: &Authority) -> Forwarder {
        let addr = relay.addr(self.input);
        let mut config = Config::new(addr.try_into().expect("a port"));
        config.grace = GRACE.try_into().expect("in bounds");
        config.buffer_size = (self.buffer as usize).try_into().expect("in bounds");
        config.transport = match self.input {
            RelayInput::OctetCounting => Transport::Tcp(Framing::OctetCounting),
            RelayInput::Tls => {
                let mut tls = Tls::default();
                tls.ca_pem = Some(authority.ca_pem());
                Transport::Tls(Framing::OctetCounting, tls)
            }
            other => panic!("{other:?} acknowledges nothing"),
        };
        let builder = Forwarder::builder(config, Guard::new(Policy::default()));
        match self.fault {
            Fault::Backfilled => builder.backfill(Store).start(),
            _ => builder.start(),
        }
        .expect("a sound configuration")
    }

    /// Says how long the slowest call took.
    fn send(&self, forwarder: &Forwarder) -> Duration {
        let start = Instant::now();
        let mut longest = Duration::ZERO;
        for n in 0..self.events {
            let due = start + Duration::from_nanos(n * 1_000_000_000 / self.rate);
            let early = due.saturating_duration_since(Instant::now());
            if early > Duration::from_millis(1) {
                std::thread::sleep(early);
            }
            let event = event(n);
            let before = Instant::now();
            forwarder.enqueue(event);
            longest = longest.max(before.elapsed());
        }
        longest
    }
}

fn event(n: u64) -> Event {
    Event::new(
        format!("e{n}"),
        "cert.issued",
        Actor::user("alice@example.com"),
        "Certificate issued for api.example.com",
    )
}

/// A primary store that knows its events by their numbers.
struct Store;

impl Backfill for Store {
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError> {
        let number = |id: &str| id.strip_prefix('e').unwrap_or(id).parse::<u64>();
        let first = match from {
            Bound::Included(id) => number(id)?,
            Bound::Excluded(id) => number(id)? + 1,
            Bound::Unbounded => 0,
        };
        Ok((first..=number(to)?).take(limit).map(event).collect())
    }
}
