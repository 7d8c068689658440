//! One connection over TCP or TLS: batches out, acknowledgements watched, and the peer's close noticed at once.

use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;

use super::backlog::Backlog;
use super::orders::{Order, Orders};
use super::run::Lasting;
use super::settings::Settings;
use super::suspicion::{Pace, Suspicion};
use super::window::Window;
use super::wire::Wire;
use super::{End, Shared};
use crate::harmless;
use crate::relay_error::RelayError;
use crate::ring::CHUNK;
use crate::stop::passed;

/// How often at least the kernel is asked what was acknowledged while something is not yet released.
const POLL: Duration = Duration::from_millis(50);
/// A batch that took all there was is followed by the next only after this, or when a crowd of events waits: waking the thread,
/// encrypting and writing for each event would cost several times what the event does. Where events are further apart than that, none
/// waits. Not longer: what has come in a burst by then the relay has to read at once.
const GATHER: Duration = Duration::from_millis(20);
/// Events that are formatted at a time, some microseconds of work, before whoever else is at work has its turn: where processors are few,
/// a request that is under way is held up by less than it takes to answer.
const FEW: u64 = 32;
/// How long a connection that is left for another one gets to finish what it has begun, and how long one from which everything
/// was released gets to be closed by the relay too.
const LEAVE: Duration = Duration::from_secs(1);

/// Forwards until the connection ends, there is nothing left to stay for, or `recall` says that it is time for another relay.
pub(super) async fn forward(
    shared: &Shared,
    settings: &Settings,
    mut stream: TcpStream,
    wire: Wire,
    orders: &mut Orders,
    lasting: &mut Lasting<'_>,
    recall: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> End {
    let mut sender = Sender {
        shared,
        settings,
        backlog: &mut lasting.backlog,
        suspicion: &mut lasting.suspicion,
        wire,
        window: Window::default(),
        pending: Vec::with_capacity(64 * 1024),
        at: 0,
        end: 0,
        gather: None,
        trial: Trial::None,
        closing: Closing::No,
    };
    let outcome = sender.run(&mut stream, orders, recall).await;
    shared.ring().gather(false);
    let end = outcome.unwrap_or_else(|error| End::Broken(RelayError::broken(&error)));
    if let End::Broken(problem) = &end
        && problem.may_be_due_to_a_record()
    {
        sender.suspect();
    }
    end
}

struct Sender<'a, 'b> {
    shared: &'a Shared,
    settings: &'a Settings,
    backlog: &'a mut Backlog<'b>,
    suspicion: &'a mut Suspicion,
    wire: Wire,
    window: Window,
    /// Bytes for the socket, of which those before `at` are written.
    pending: Vec<u8>,
    at: usize,
    /// The number after the last event of the batch in `pending`; 0, when it holds none.
    end: u64,
    /// When the next batch may begin, after one of few events.
    gather: Option<Instant>,
    trial: Trial,
    closing: Closing,
}

/// Whether an event is on trial, and how far it has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    None,
    /// The harmless record is on its way.
    Harmless,
    /// It has lasted, and the event of this number is on its way.
    Accused(u64),
}

/// How far the connection is being ended from this side.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// What says so to the relay is in `pending`.
    Announced,
    /// The relay has been told, and closes when it has read everything.
    HalfClosed,
}

impl Sender<'_, '_> {
    async fn run(
        &mut self,
        stream: &mut TcpStream,
        orders: &mut Orders,
        mut recall: Pin<&mut (dyn Future<Output = ()> + '_)>,
    ) -> io::Result<End> {
        self.settings.set_options(stream)?;
        let (mut reader, mut writer) = stream.split();
        let grace = self.settings.config.grace;
        let mut poll = tokio::time::interval((grace / 10).clamp(Duration::from_millis(1), POLL));
        poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut received = [0; 4096];
        let mut leave = None;

        loop {
            let stop = orders.stop();
            self.backlog.stopping(stop);
            let until = [stop, leave].into_iter().flatten().min();
            if self.at == self.pending.len() {
                self.pending.clear();
                self.at = 0;
                if self.closing == Closing::Announced {
                    writer.shutdown().await?;
                    self.closing = Closing::HalfClosed;
                } else if self.closing == Closing::No {
                    let hurry = leave.is_some() || stop.is_some();
                    if leave.is_none() && !self.gathers(hurry) {
                        self.fill()?;
                    }
                    let done = leave.is_some() || stop.is_some() && self.all_sent();
                    // A relay that dies in the grace gets it all again, as at any other time. Where there is no time for
                    // that, its closing in answer has to do.
                    let waited = self.window.is_empty()
                        || until.is_some_and(|until| until <= Instant::now() + grace);
                    if done && waited && self.pending.is_empty() {
                        // In a hurry, what the relay says to the last events still has to be understood.
                        if self.window.is_empty() {
                            self.wire.close(&mut self.pending)?;
                        }
                        self.closing = Closing::Announced;
                        continue;
                    }
                }
            }
            let idle = self.pending.is_empty();
            let open = self.closing == Closing::No;
            if self.closing == Closing::HalfClosed && self.window.is_empty() && leave.is_none() {
                leave = Some(Instant::now() + LEAVE);
                continue;
            }
            tokio::select! {
                biased;
                () = passed(until) => return Ok(End::Left),
                // Before the writing, which under load is always ready.
                order = orders.changed() => {
                    if order == Order::Settings {
                        leave.get_or_insert(Instant::now() + LEAVE);
                    }
                }
                () = &mut recall, if leave.is_none() => leave = Some(Instant::now() + LEAVE),
                read = reader.read(&mut received) => {
                    let read = read?;
                    let ended = read == 0 || self.wire.receive(&received[..read], &mut self.pending)?;
                    if ended {
                        return self.peer_ended(reader.as_ref());
                    }
                }
                written = writer.write(&self.pending[self.at..]), if !idle => {
                    match written {
                        Ok(count) => {
                            if self.wrote(count, reader.as_ref())? {
                                poll.reset();
                                // Where processors are few, whoever else is at work is held up by one batch at a time.
                                std::thread::yield_now();
                            }
                        }
                        // What the relay said last says why.
                        Err(error) => return Err(self.last_words(&reader).unwrap_or(error)),
                    }
                }
                _ = poll.tick(), if !self.window.is_empty() => self.settle(reader.as_ref())?,
                () = self.shared.more.notified(), if idle && open && self.backlog.is_closed() => {}
                () = passed(self.gather), if idle && open => {}
                () = self.backlog.progress(), if idle && open => {}
            }
        }
    }

    /// Whether the next batch waits for more events.
    fn gathers(&mut self, hurry: bool) -> bool {
        let Some(until) = self.gather else {
            return false;
        };
        let gathers = !hurry && Instant::now() < until;
        let gathers = self.shared.ring().gather(gathers);
        if !gathers {
            self.gather = None;
        }
        gathers
    }

    /// Puts the next batch into the empty `pending`, if there is one and the pace allows it.
    fn fill(&mut self) -> io::Result<()> {
        let limit = match self.suspicion.pace() {
            Pace::Full => super::suspicion::BATCH,
            _ if !self.window.is_empty() => return Ok(()),
            Pace::Careful(limit) => limit,
            Pace::Trial if self.trial == Trial::Harmless => 1,
            Pace::Trial => {
                self.trial = Trial::Harmless;
                let settings = self.settings;
                let write = |out: &mut Vec<u8>| settings.write(harmless::event().view(), out);
                return self.wire.append(&mut self.pending, write);
            }
        };
        let (shared, settings) = (self.shared, self.settings);
        let Some(mut next) = self.backlog.next() else {
            return Ok(());
        };
        let last = next + limit as u64;
        if shared.ring_of(next).from(next).next().is_none() {
            return Ok(());
        }
        if self.trial == Trial::Harmless {
            self.trial = Trial::Accused(next);
        }
        self.end = self.wire.append(&mut self.pending, |out| {
            let mut few = next + FEW;
            while next < last {
                let ring = shared.ring_of(next);
                let before = next;
                let most = CHUNK.min((last - next) as usize);
                for (number, event) in ring.from(next).take(most) {
                    settings.write(event, out);
                    next = number + 1;
                }
                drop(ring);
                if next == before {
                    break;
                }
                if next >= few {
                    few = next + FEW;
                    std::thread::yield_now();
                }
            }
            next
        })?;
        let took_all = self.end < last && self.backlog.is_closed();
        self.gather = took_all.then(|| Instant::now() + GATHER);
        Ok(())
    }

    fn all_sent(&self) -> bool {
        let stored = self.backlog.is_closed() && self.shared.stored().all_sent();
        stored && self.shared.ring().all_sent()
    }

    /// Says whether that was the end of a batch.
    fn wrote(&mut self, count: usize, stream: &TcpStream) -> io::Result<bool> {
        self.at += count;
        self.window.wrote(count);
        let ended = self.at == self.pending.len() && self.closing == Closing::No;
        if ended {
            let end = std::mem::take(&mut self.end);
            if let Some(mut ring) = self.shared.ring_before(end) {
                ring.sent_to(end);
            }
            self.window.batch_ends(end);
            // While there is always more to write, the timer never has its turn.
            self.settle(stream)?;
        }
        Ok(ended)
    }

    /// Tells the buffer what the relay has, and releases what it has had for long enough.
    fn settle(&mut self, stream: &TcpStream) -> io::Result<()> {
        let lacking = self.shared.unacknowledged(stream)?;
        let now = Instant::now();
        // The next look may come late, and what is kept longer than the grace would be sent again for nothing.
        let grace = self.settings.config.grace.mul_f32(0.9);
        // Longer than it takes an acknowledgement to come, most often.
        let silence = grace / 2;
        for acknowledged in self.window.acknowledged(lacking, now, silence) {
            if let Some(mut ring) = self.shared.ring_before(acknowledged) {
                ring.acknowledged_to(acknowledged);
            }
        }
        if self.window.is_silent(now, silence) {
            self.shared.doubt();
        }
        while let Some(end) = self.window.graced(grace) {
            self.release(end);
        }
        Ok(())
    }

    fn release(&mut self, end: u64) {
        let mut any = false;
        loop {
            let ring = self.shared.ring_before(end);
            // Freed when nobody waits for the lock any more.
            let delivered = ring.and_then(|mut ring| ring.release_to(end));
            if delivered.is_none() {
                break;
            }
            any = true;
        }
        if any {
            self.trial = Trial::None;
            self.suspicion.progressed();
            self.shared.succeeded();
        }
    }

    fn peer_ended(&mut self, stream: &TcpStream) -> io::Result<End> {
        if self.closing == Closing::HalfClosed && self.shared.unacknowledged(stream)? == 0 {
            let ends: Vec<_> = self.window.drain().collect();
            ends.into_iter().for_each(|end| self.release(end));
            return Ok(End::Left);
        }
        Ok(End::Broken(RelayError::closed()))
    }

    /// The relay ended the connection, perhaps because of what it carried.
    fn suspect(&mut self) {
        match self.trial {
            Trial::Harmless => self.suspicion.acquitted(),
            Trial::Accused(number) => {
                self.shared.ring_of(number).quarantine(number);
                self.suspicion.progressed();
                tracing::warn!(target: "cap_syslog", "the relay closes the connection on an audit event, which is set aside");
            }
            Trial::None if self.window.is_empty() && self.at == 0 => {}
            Trial::None => self.suspicion.failed(self.shared.head()),
        }
    }

    /// A TLS alert that came before the connection broke.
    fn last_words(&mut self, reader: &ReadHalf<'_>) -> Option<io::Error> {
        let mut received = [0; 4096];
        let read = reader.try_read(&mut received).ok()?;
        self.wire.receive(&received[..read], &mut Vec::new()).err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use crate::forwarder::datagrams::Before;
    use crate::forwarder::suspicion::BATCH;
    use crate::forwarder::tests::cut_off;
    use crate::stop::Stop;
    use cap_names::Actor;
    use std::thread;

    /// One that writes on whatever happens would never see them: there is always more to write under load.
    #[tokio::test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the relay is the test's own, on loopback"
    )]
    async fn other_settings_are_seen_between_two_batches() {
        let relay = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let to = relay.local_addr().expect("bound");
        let forwarder = cut_off();
        let shared = &forwarder.shared;
        // Few enough that the socket takes them without the relay's reading.
        for _ in 0..2 * BATCH {
            forwarder.enqueue(Event::new("e", "t", Actor::system("test"), "m"));
        }
        let (_stop, stopping, _running) = Stop::new();
        let mut orders = Orders {
            stopping,
            settings: shared.settings.subscribe(),
        };
        let settings = orders.settings();
        forwarder
            .reconfigure(settings.config.clone())
            .expect("sound");

        let reading = thread::spawn(move || {
            let (mut stream, _) = relay.accept().expect("a connection");
            std::io::read_to_string(&mut stream).expect("records")
        });
        let stream = TcpStream::connect(to).await.expect("connected");
        let mut lasting = Lasting {
            backlog: Backlog::new(shared),
            suspicion: Suspicion::none(),
            before: Before::Fine,
        };
        let recall = std::pin::pin!(std::future::pending());
        let end = forward(
            shared,
            &settings,
            stream,
            Wire::Plain,
            &mut orders,
            &mut lasting,
            recall,
        )
        .await;
        assert!(matches!(end, End::Left));
        let received = reading.join().expect("no panic");
        let records = received.matches("event_id=").count();
        assert!(records <= BATCH, "{records}");
    }
}
