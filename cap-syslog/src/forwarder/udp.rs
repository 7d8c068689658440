//! One connected UDP socket: a record is a datagram, and an event is delivered when the network
//! took its datagram.
//!
//! Nothing ever comes back but the news that the port is closed, and that comes after a datagram
//! was lost. After such news, a new socket risks one record before it sends the others.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use cap_egress::worker::passed;
use tokio::net::UdpSocket;

use super::control::{Command, Control};
use super::cursor::Cursor;
use super::gap_fill::GapFill;
use super::session::{End, LastDatagram, SessionState};
use super::shared::Shared;
use crate::relay::{RelayError, Settings};

/// How long the news of a closed port may take to come back.
const REFUSAL: Duration = Duration::from_millis(500);

/// Sends until the socket fails, nothing is left to do, or `failback` says that it is time for a
/// new socket.
pub(super) async fn forward(
    shared: &Shared,
    settings: &Settings,
    socket: UdpSocket,
    control: &mut Control,
    session: &mut SessionState<'_>,
    failback: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> End {
    let outcome = try_forward(shared, settings, &socket, control, session, failback).await;
    outcome.unwrap_or_else(|error| {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            session.last_datagram = LastDatagram::Refused;
        }
        End::Broken(RelayError::broken(&error))
    })
}

async fn try_forward(
    shared: &Shared,
    settings: &Settings,
    socket: &UdpSocket,
    control: &mut Control,
    session: &mut SessionState<'_>,
    mut failback: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> io::Result<End> {
    let SessionState { gap_fill, last_datagram, .. } = session;
    let mut record = Vec::with_capacity(2048);
    let mut ignored = [0; 1];
    loop {
        let stop = control.stop();
        gap_fill.stopping(stop);
        record.clear();
        let next = next_record(shared, settings, gap_fill, &mut record);
        if stop.is_some() && next.is_none() && gap_fill.is_idle() {
            return Ok(End::Finished);
        }
        tokio::select! {
            biased;
            () = passed(stop) => return Ok(End::Finished),
            command = control.changed() => {
                if command == Command::Reconfigure {
                    return Ok(End::Finished);
                }
            }
            () = &mut failback => return Ok(End::Finished),
            received = socket.recv(&mut ignored) => {
                received?;
            }
            outcome = send(shared, socket, &record, next), if next.is_some() => {
                outcome?;
                if *last_datagram == LastDatagram::Refused {
                    tokio::select! {
                        received = socket.recv(&mut ignored) => received.map(|_| ())?,
                        () = tokio::time::sleep(REFUSAL) => {}
                        () = passed(stop) => {}
                    }
                    *last_datagram = LastDatagram::Accepted;
                }
            }
            () = gap_fill.progress(), if next.is_none() => {}
            () = shared.more.notified(), if next.is_none() && gap_fill.is_idle() => {}
        }
    }
}

/// Formats the next event; where it is.
fn next_record(
    shared: &Shared,
    settings: &Settings,
    gap_fill: &mut GapFill<'_>,
    record: &mut Vec<u8>,
) -> Option<Cursor> {
    let next = gap_fill.next()?;
    let ring = shared.ring(next.source);
    let (number, event) = ring.from(next.number).next()?;
    settings.write(event, record);
    Some(Cursor::new(next.source, number))
}

async fn send(
    shared: &Shared,
    socket: &UdpSocket,
    record: &[u8],
    event: Option<Cursor>,
) -> io::Result<()> {
    let Some(Cursor { source, number }) = event else {
        return Ok(());
    };
    match socket.send(record).await {
        Ok(_) => {
            // The lock is free again before the memory is freed.
            let deferred = shared.ring(source).release_to(number + 1);
            drop(deferred);
            shared.succeeded();
            Ok(())
        }
        Err(error) if is_too_long(&error) => {
            shared.ring(source).quarantine(number);
            tracing::warn!(
                target: "cap_syslog",
                "an audit event does not fit into a datagram on this path and is quarantined"
            );
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// EMSGSIZE, for which the standard library has no stable name.
fn is_too_long(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::EMSGSIZE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Event;
    use crate::forwarder::cursor::Source;
    use crate::forwarder::tests::cut_off;
    use cap_names::Actor;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the relay is the test's own, on loopback")]
    async fn an_event_too_long_for_any_datagram_is_quarantined() {
        let relay = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let to = relay.local_addr().expect("bound");
        let forwarder = cut_off();
        for id in ["long", "short"] {
            forwarder.enqueue(Event::new(id, "t", Actor::system("test"), "m"));
        }
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(to).await.expect("connected");
        let shared = &forwarder.shared;
        let at = |number| Some(Cursor::new(Source::Buffer, number));
        // More than IP can carry.
        let sent = send(shared, &socket, &[b'x'; 70_000], at(0)).await;
        sent.expect("the socket is kept");
        assert_eq!(forwarder.status().quarantined, 1);
        send(shared, &socket, b"short", at(1)).await.expect("sent");
        let status = forwarder.status();
        assert_eq!((status.delivered, status.queued), (1, 0));
        let mut datagram = [0; 16];
        let read = relay.recv(&mut datagram).await.expect("a datagram");
        assert_eq!(&datagram[..read], b"short");
    }
}
