//! One connection: batches out, acknowledgements watched, and the peer's close noticed at once.

use std::collections::VecDeque;
use std::io;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;

use super::Shared;
use crate::stop::{Deadline, passed};
use crate::tcp;

/// Records formatted at once; a batch is written with as few calls as the socket takes.
const BATCH: usize = 256;
/// How often the kernel is asked what was acknowledged while something is not yet released.
const POLL: Duration = Duration::from_millis(50);

/// How a connection ended.
pub(super) enum End {
    /// The forwarder was stopped: everything is released, or the deadline has passed.
    Stopped,
    /// The relay closed it.
    Closed,
    Broken(io::Error),
}

/// A batch that was written whole.
struct Written {
    /// The number after its last event.
    event: u64,
    /// The bytes written on this connection up to its end.
    offset: u64,
    acked_at: Option<Instant>,
}

/// What was written on this connection and is not yet released.
#[derive(Default)]
struct Window {
    written: u64,
    batches: VecDeque<Written>,
}

impl Window {
    /// Tells the ring what the relay has, and releases what it has had for long enough. Says whether anything was.
    fn settle(&mut self, shared: &Shared, unacknowledged: u64) -> bool {
        let now = Instant::now();
        let acked = self.acknowledged(unacknowledged, now);
        let graced = self.graced(shared.config.grace, now);
        let mut ring = shared.ring();
        if let Some(acked) = acked {
            ring.acked_to(acked);
        }
        if let Some(graced) = graced {
            ring.release_to(graced);
        }
        graced.is_some()
    }

    fn acknowledged(&mut self, unacknowledged: u64, now: Instant) -> Option<u64> {
        let offset = self.written.saturating_sub(unacknowledged);
        let mut acked = None;
        for batch in self
            .batches
            .iter_mut()
            .filter(|batch| batch.offset <= offset)
        {
            batch.acked_at.get_or_insert(now);
            acked = Some(batch.event);
        }
        acked
    }

    /// The number up to which events have waited out their grace.
    fn graced(&mut self, grace: Duration, now: Instant) -> Option<u64> {
        let mut released = None;
        while let Some(batch) = self.batches.front()
            && batch.acked_at.is_some_and(|at| now >= at + grace)
        {
            released = Some(batch.event);
            self.batches.pop_front();
        }
        released
    }
}

/// Forwards until the connection ends or the forwarder stops; `progress` says whether anything was released.
pub(super) async fn forward(
    shared: &Shared,
    stream: TcpStream,
    stopping: &mut watch::Receiver<Deadline>,
    progress: &mut bool,
) -> End {
    match try_forward(shared, stream, stopping, progress).await {
        Ok(end) => end,
        Err(error) => End::Broken(error),
    }
}

async fn try_forward(
    shared: &Shared,
    mut stream: TcpStream,
    stopping: &mut watch::Receiver<Deadline>,
    progress: &mut bool,
) -> io::Result<End> {
    tcp::set_options(&stream, &shared.config)?;
    let (mut reader, mut writer) = stream.split();
    let mut window = Window::default();
    let mut pending = Vec::with_capacity(64 * 1024);
    let mut at = 0;
    let mut end = 0;
    let mut half_closed = false;
    let mut poll = tokio::time::interval(POLL);
    poll.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let mut ignored = [0; 256];

    loop {
        let until = *stopping.borrow_and_update();
        if at == pending.len() && !half_closed {
            pending.clear();
            at = 0;
            end = next_batch(shared, &mut pending, end);
        }
        let idle = pending.is_empty();
        if until.is_some() && idle && !half_closed {
            // Nothing more will come: tell the relay so, and it closes when it has read everything.
            writer.shutdown().await?;
            half_closed = true;
        }
        if half_closed && window.batches.is_empty() {
            return Ok(End::Stopped);
        }
        tokio::select! {
            biased;
            () = passed(until) => return Ok(End::Stopped),
            read = reader.read(&mut ignored) => {
                if read? == 0 {
                    if half_closed && tcp::unacknowledged(reader.as_ref())? == 0 {
                        shared.ring().release_to(end);
                        return Ok(End::Stopped);
                    }
                    return Ok(End::Closed);
                }
            }
            written = writer.write(&pending[at..]), if !idle => {
                let written = written?;
                at += written;
                window.written += written as u64;
                if at == pending.len() {
                    shared.ring().sent_to(end);
                    window.batches.push_back(Written { event: end, offset: window.written, acked_at: None });
                    // While there is always more to write, the poll below never has its turn.
                    *progress |= window.settle(shared, tcp::unacknowledged(reader.as_ref())?);
                }
            }
            _ = poll.tick(), if !window.batches.is_empty() => {
                *progress |= window.settle(shared, tcp::unacknowledged(reader.as_ref())?);
            }
            () = shared.more.notified(), if idle && !half_closed => {}
            Ok(()) = stopping.changed() => {}
        }
    }
}

/// Formats the next unsent events into `pending`, and says the number after the last of them.
fn next_batch(shared: &Shared, pending: &mut Vec<u8>, end: u64) -> u64 {
    let mut ring = shared.ring();
    let (events, batch_end) = ring.unsent(BATCH);
    drop(ring);
    if events.is_empty() {
        return end;
    }
    for event in &events {
        let framing = shared.config.framing;
        framing.append(pending, |out| shared.formatter.write(event, out));
    }
    batch_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_batch_is_released_once_it_was_acknowledged_whole_and_its_grace_has_passed() {
        let grace = Duration::from_millis(500);
        let start = Instant::now();
        let batch = |event, offset| Written {
            event,
            offset,
            acked_at: None,
        };
        let mut window = Window {
            written: 300,
            batches: [batch(10, 200), batch(20, 300)].into(),
        };
        assert_eq!(window.acknowledged(101, start), None);
        assert_eq!(window.acknowledged(100, start), Some(10));
        assert_eq!(
            window.graced(grace, start + grace - Duration::from_millis(1)),
            None
        );
        // A later sample does not start the grace anew.
        assert_eq!(window.acknowledged(0, start + grace), Some(20));
        assert_eq!(window.graced(grace, start + grace), Some(10));
        assert_eq!(window.graced(grace, start + grace), None);
        assert_eq!(window.graced(grace, start + grace * 2), Some(20));
    }
}
