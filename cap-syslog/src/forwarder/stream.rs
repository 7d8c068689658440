//! One connection over TCP or TLS: writes batches, watches what is acknowledged, and notices at
//! once when the relay closes.

use std::io;
use std::pin::Pin;
use std::time::{Duration, Instant};

use cap_egress::worker::passed;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::time::MissedTickBehavior;

use super::control::{Command, Control};
use super::cursor::Cursor;
use super::gap_fill::GapFill;
use super::poison::{BATCH, Pace, PoisonSearch};
use super::session::{End, SessionState};
use super::shared::Shared;
use super::window::Window;
use crate::relay::{Encryption, RelayError, Settings, tcp};
use crate::ring::CHUNK;
use crate::test_event;

/// The longest time between two questions to the kernel while an event waits to be delivered.
const POLL: Duration = Duration::from_millis(50);
/// After a batch that took all events there were, the next batch waits this long, or until many
/// events wait. Waking the thread, encrypting and writing for each event would cost several times
/// what the event does. An event that comes alone does not wait. The delay is not longer because
/// the relay has to read at once what a burst brought in it.
const BATCH_DELAY: Duration = Duration::from_millis(20);
/// After so many events, some microseconds of work, the thread yields. On few processors, a request
/// then waits less than it takes to answer.
const YIELD_EVERY: u64 = 32;
/// How long a connection that is left for another gets to finish what it began, and how long the
/// relay gets to close its side when everything was delivered.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// Forwards until the connection ends, nothing is left to do, or `failback` says that it is time
/// for another relay.
pub(super) async fn forward(
    shared: &Shared,
    settings: &Settings,
    (mut stream, encryption): (TcpStream, Encryption),
    control: &mut Control,
    session: &mut SessionState<'_>,
    failback: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> End {
    let mut sender = Sender {
        shared,
        settings,
        gap_fill: &mut session.gap_fill,
        poison: &mut session.poison,
        encryption,
        window: Window::default(),
        pending: Vec::with_capacity(64 * 1024),
        at: 0,
        end: Cursor::START,
        next_batch: None,
        trial: Trial::None,
        closing: Closing::No,
    };
    let outcome = sender.run(&mut stream, control, failback).await;
    shared.buffer().gather(false);
    let end = outcome.unwrap_or_else(|error| End::Broken(RelayError::broken(&error)));
    if let End::Broken(error) = &end
        && error.may_be_due_to_an_event()
    {
        sender.suspect();
    }
    end
}

struct Sender<'a, 'b> {
    shared: &'a Shared,
    settings: &'a Settings,
    gap_fill: &'a mut GapFill<'b>,
    poison: &'a mut PoisonSearch,
    encryption: Encryption,
    window: Window,
    /// Bytes for the socket, of which those before `at` are written.
    pending: Vec<u8>,
    at: usize,
    /// The end of the batch in `pending`; [`Cursor::START`] when it holds no event.
    end: Cursor,
    /// When the next batch may begin, after one that took all events there were.
    next_batch: Option<Instant>,
    trial: Trial,
    closing: Closing,
}

/// How far the trial of an event is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Trial {
    None,
    /// The test event was sent.
    Canary,
    /// The relay took the test event, and this event was sent.
    Suspect(Cursor),
}

/// How far this side has closed the connection.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Closing {
    No,
    /// The last bytes for the relay are in `pending`.
    Announced,
    /// The relay knows, and closes when it has read everything.
    HalfClosed,
}

impl Sender<'_, '_> {
    async fn run(
        &mut self,
        stream: &mut TcpStream,
        control: &mut Control,
        mut failback: Pin<&mut (dyn Future<Output = ()> + '_)>,
    ) -> io::Result<End> {
        tcp::set_options(stream, self.settings.config.stall_timeout.get())?;
        let (mut reader, mut writer) = stream.split();
        let grace = self.settings.config.grace.get();
        let mut poll = tokio::time::interval((grace / 10).clamp(Duration::from_millis(1), POLL));
        poll.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut received = [0; 4096];
        let mut leave_by = None;

        loop {
            let stop = control.stop();
            self.gap_fill.stopping(stop);
            let until = [stop, leave_by].into_iter().flatten().min();
            if self.at == self.pending.len() {
                self.pending.clear();
                self.at = 0;
                if self.closing == Closing::Announced {
                    writer.shutdown().await?;
                    self.closing = Closing::HalfClosed;
                } else if self.closing == Closing::No {
                    let ending = leave_by.is_some() || stop.is_some();
                    if leave_by.is_none() && !self.gathers(ending) {
                        self.fill()?;
                    }
                    let done = leave_by.is_some() || stop.is_some() && self.all_sent();
                    // A relay that dies in the grace gets everything again, as at any other time.
                    // Without time for that, this side closes, and the relay's closing in answer
                    // says that it read everything.
                    let waited = self.window.is_empty()
                        || until.is_some_and(|until| until <= Instant::now() + grace);
                    if done && waited && self.pending.is_empty() {
                        // With events in the window, the session still has to read what the relay
                        // says to them.
                        if self.window.is_empty() {
                            self.encryption.close(&mut self.pending)?;
                        }
                        self.closing = Closing::Announced;
                        continue;
                    }
                }
            }
            let idle = self.pending.is_empty();
            let open = self.closing == Closing::No;
            if self.closing == Closing::HalfClosed && self.window.is_empty() && leave_by.is_none() {
                leave_by = Some(Instant::now() + CLOSE_TIMEOUT);
                continue;
            }
            tokio::select! {
                biased;
                () = passed(until) => return Ok(End::Finished),
                // Before the writing, which under load is always ready.
                command = control.changed() => {
                    if command == Command::Reconfigure {
                        leave_by.get_or_insert(Instant::now() + CLOSE_TIMEOUT);
                    }
                }
                () = &mut failback, if leave_by.is_none() => {
                    leave_by = Some(Instant::now() + CLOSE_TIMEOUT);
                }
                read = reader.read(&mut received) => {
                    let read = read?;
                    let ended =
                        read == 0 || self.encryption.receive(&received[..read], &mut self.pending)?;
                    if ended {
                        return self.peer_ended(reader.as_ref());
                    }
                }
                written = writer.write(&self.pending[self.at..]), if !idle => {
                    match written {
                        Ok(count) => {
                            if self.wrote(count, reader.as_ref())? {
                                poll.reset();
                                // On few processors, other threads wait for one batch at most.
                                std::thread::yield_now();
                            }
                        }
                        // What the relay said last tells why.
                        Err(error) => return Err(self.last_words(&reader).unwrap_or(error)),
                    }
                }
                _ = poll.tick(), if !self.window.is_empty() => self.settle(reader.as_ref())?,
                () = self.shared.more.notified(), if idle && open && self.gap_fill.is_idle() => {}
                () = passed(self.next_batch), if idle && open => {}
                () = self.gap_fill.progress(), if idle && open => {}
            }
        }
    }

    /// Whether the next batch waits for more events.
    fn gathers(&mut self, ending: bool) -> bool {
        let Some(until) = self.next_batch else {
            return false;
        };
        let early = !ending && Instant::now() < until;
        let gathers = self.shared.buffer().gather(early);
        if !gathers {
            self.next_batch = None;
        }
        gathers
    }

    /// Puts the next batch into the empty `pending`, if there is one and the pace allows it.
    fn fill(&mut self) -> io::Result<()> {
        let limit = match self.poison.pace() {
            Pace::Full => BATCH,
            _ if !self.window.is_empty() => return Ok(()),
            Pace::Careful(limit) => limit,
            Pace::Trial if self.trial == Trial::Canary => 1,
            Pace::Trial => {
                self.trial = Trial::Canary;
                let settings = self.settings;
                let write = |out: &mut Vec<u8>| settings.write(test_event::event().view(), out);
                return self.encryption.append(&mut self.pending, write);
            }
        };
        let (shared, settings) = (self.shared, self.settings);
        let Some(first) = self.gap_fill.next() else {
            return Ok(());
        };
        let Cursor { source, number } = first;
        if shared.ring(source).from(number).next().is_none() {
            return Ok(());
        }
        if self.trial == Trial::Canary {
            self.trial = Trial::Suspect(first);
        }
        let (mut next, last) = (number, number + limit as u64);
        next = self.encryption.append(&mut self.pending, |out| {
            let mut pause = next + YIELD_EVERY;
            while next < last {
                let ring = shared.ring(source);
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
                if next >= pause {
                    pause = next + YIELD_EVERY;
                    std::thread::yield_now();
                }
            }
            next
        })?;
        self.end = Cursor::new(source, next);
        let took_all = next < last && self.gap_fill.is_idle();
        self.next_batch = took_all.then(|| Instant::now() + BATCH_DELAY);
        Ok(())
    }

    fn all_sent(&self) -> bool {
        self.gap_fill.is_idle()
            && self.shared.stored().all_sent()
            && self.shared.buffer().all_sent()
    }

    /// Takes note of bytes that the socket took; whether they ended a batch.
    fn wrote(&mut self, count: usize, stream: &TcpStream) -> io::Result<bool> {
        self.at += count;
        self.window.wrote(count);
        let ended = self.at == self.pending.len() && self.closing == Closing::No;
        if ended {
            let end = std::mem::replace(&mut self.end, Cursor::START);
            self.shared.ring(end.source).sent_to(end.number);
            self.window.batch_ends(end);
            // While there is always more to write, the timer is never polled.
            self.settle(stream)?;
        }
        Ok(ended)
    }

    /// Takes over what the relay acknowledged, and releases the events whose grace has passed.
    fn settle(&mut self, stream: &TcpStream) -> io::Result<()> {
        let unacknowledged = self.shared.unacknowledged(stream)?;
        let now = Instant::now();
        // The next look may come late, and an event that is kept longer than the grace would be
        // sent again for nothing.
        let grace = self.settings.config.grace.get().mul_f32(0.9);
        // Longer than an acknowledgement usually takes.
        let max_silence = grace / 2;
        for end in self.window.acknowledged(unacknowledged, now, max_silence) {
            self.shared.ring(end.source).acknowledged_to(end.number);
        }
        if self.window.is_silent(now, max_silence) {
            self.shared.doubt();
        }
        while let Some(end) = self.window.pop_graced(grace) {
            self.release(end);
        }
        Ok(())
    }

    fn release(&mut self, end: Cursor) {
        let mut any = false;
        loop {
            // The lock is free again before the memory is freed.
            let deferred = self.shared.ring(end.source).release_to(end.number);
            if deferred.is_none() {
                break;
            }
            any = true;
        }
        if any {
            self.trial = Trial::None;
            self.poison.progressed();
            self.shared.succeeded();
        }
    }

    fn peer_ended(&mut self, stream: &TcpStream) -> io::Result<End> {
        if self.closing == Closing::HalfClosed && self.shared.unacknowledged(stream)? == 0 {
            let ends: Vec<_> = self.window.drain().collect();
            ends.into_iter().for_each(|end| self.release(end));
            return Ok(End::Finished);
        }
        Ok(End::Broken(RelayError::closed()))
    }

    /// The relay ended the connection, perhaps because of an event on it.
    fn suspect(&mut self) {
        match self.trial {
            Trial::Canary => self.poison.cleared(),
            Trial::Suspect(event) => {
                self.shared.ring(event.source).quarantine(event.number);
                self.poison.progressed();
                tracing::warn!(
                    target: "cap_syslog",
                    "the relay closes the connection on an audit event, which is quarantined"
                );
            }
            Trial::None if self.window.is_empty() && self.at == 0 => {}
            Trial::None => self.poison.failed(self.shared.head()),
        }
    }

    /// A TLS alert that arrived before the connection broke.
    fn last_words(&mut self, reader: &ReadHalf<'_>) -> Option<io::Error> {
        let mut received = [0; 4096];
        let read = reader.try_read(&mut received).ok()?;
        self.encryption.receive(&received[..read], &mut Vec::new()).err()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use crate::forwarder::tests::cut_off;
    use cap_egress::worker::StopSignal;
    use cap_names::Actor;
    use std::thread;

    /// A sender that always writes first would never see them: under load there is always more to
    /// write.
    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the relay is the test's own, on loopback")]
    async fn other_settings_are_seen_between_two_batches() {
        let relay = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let to = relay.local_addr().expect("bound");
        let forwarder = cut_off();
        let shared = &forwarder.shared;
        // Few enough that the socket takes them while the relay reads nothing.
        for _ in 0..2 * BATCH {
            forwarder.enqueue(Event::new("e", "t", Actor::system("test"), "m"));
        }
        let mut control =
            Control { stop: StopSignal::never(), settings: shared.settings.subscribe() };
        let settings = control.settings();
        forwarder.reconfigure(settings.config.clone()).expect("sound");

        let reading = thread::spawn(move || {
            let (mut stream, _) = relay.accept().expect("a connection");
            std::io::read_to_string(&mut stream).expect("records")
        });
        let stream = TcpStream::connect(to).await.expect("connected");
        let socket = (stream, Encryption::None);
        let mut session = SessionState::new(shared);
        let failback = std::pin::pin!(std::future::pending());
        let end = forward(shared, &settings, socket, &mut control, &mut session, failback).await;
        assert!(matches!(end, End::Finished));
        let received = reading.join().expect("no panic");
        let records = received.matches("event_id=").count();
        assert!(records <= BATCH, "{records}");
    }
}
