//! One connected UDP socket: a record, a datagram, and released as soon as it is handed to the network.
//!
//! The one thing that ever comes back is that nothing listens on the port, and it comes after a datagram was lost. So after
//! that, a new socket risks one record before it sends the others.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::backlog::Backlog;
use super::orders::{Order, Orders};
use super::run::Lasting;
use super::settings::Settings;
use super::{End, Shared};
use crate::relay_error::RelayError;
use crate::stop::passed;

/// How long a refusal may take to come back.
const REFUSAL: Duration = Duration::from_millis(500);

/// What came of the datagrams before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Before {
    Fine,
    Refused,
}

/// Sends until the socket fails, there is nothing left to stay for, or `recall` says that it is time for a new socket.
pub(super) async fn forward(
    shared: &Shared,
    settings: &Settings,
    socket: UdpSocket,
    orders: &mut Orders,
    lasting: &mut Lasting<'_>,
    recall: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> End {
    let outcome = try_forward(shared, settings, &socket, orders, lasting, recall).await;
    outcome.unwrap_or_else(|error| {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            lasting.before = Before::Refused;
        }
        End::Broken(RelayError::broken(&error))
    })
}

async fn try_forward(
    shared: &Shared,
    settings: &Settings,
    socket: &UdpSocket,
    orders: &mut Orders,
    lasting: &mut Lasting<'_>,
    mut recall: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> io::Result<End> {
    let Lasting {
        backlog, before, ..
    } = lasting;
    let mut record = Vec::with_capacity(2048);
    let mut ignored = [0; 1];
    loop {
        let stop = orders.stop();
        backlog.stopping(stop);
        record.clear();
        let number = next_record(shared, settings, backlog, &mut record);
        if stop.is_some() && number.is_none() && backlog.is_closed() {
            return Ok(End::Left);
        }
        tokio::select! {
            biased;
            () = passed(stop) => return Ok(End::Left),
            order = orders.changed() => {
                if order == Order::Settings {
                    return Ok(End::Left);
                }
            }
            () = &mut recall => return Ok(End::Left),
            received = socket.recv(&mut ignored) => {
                received?;
            }
            outcome = send(shared, socket, &record, number), if number.is_some() => {
                outcome?;
                if *before == Before::Refused {
                    tokio::select! {
                        received = socket.recv(&mut ignored) => received.map(|_| ())?,
                        () = tokio::time::sleep(REFUSAL) => {}
                        () = passed(stop) => {}
                    }
                    *before = Before::Fine;
                }
            }
            () = backlog.progress(), if number.is_none() => {}
            () = shared.more.notified(), if number.is_none() && backlog.is_closed() => {}
        }
    }
}

/// Formats the next event, and says its number.
fn next_record(
    shared: &Shared,
    settings: &Settings,
    backlog: &mut Backlog<'_>,
    record: &mut Vec<u8>,
) -> Option<u64> {
    let next = backlog.next()?;
    let ring = shared.ring_of(next);
    let (number, event) = ring.from(next).next()?;
    settings.write(event, record);
    Some(number)
}

async fn send(
    shared: &Shared,
    socket: &UdpSocket,
    record: &[u8],
    number: Option<u64>,
) -> io::Result<()> {
    let Some(number) = number else { return Ok(()) };
    match socket.send(record).await {
        Ok(_) => {
            let sent = shared.ring_of(number).release_to(number + 1);
            drop(sent);
            shared.succeeded();
            Ok(())
        }
        Err(error) if is_too_long(&error) => {
            shared.ring_of(number).quarantine(number);
            tracing::warn!(target: "cap_syslog", "an audit event does not fit into a datagram on this path and is set aside");
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
    use crate::forwarder::tests::cut_off;
    use cap_names::Actor;

    #[tokio::test]
    #[expect(
        clippy::disallowed_methods,
        reason = "the relay is the test's own, on loopback"
    )]
    async fn what_the_network_takes_no_datagram_for_is_set_aside_and_the_rest_goes_on() {
        let relay = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        let to = relay.local_addr().expect("bound");
        let forwarder = cut_off();
        for id in ["long", "short"] {
            forwarder.enqueue(Event::new(id, "t", Actor::system("test"), "m"));
        }
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a free port");
        socket.connect(to).await.expect("connected");
        let shared = &forwarder.shared;
        // More than IP can carry.
        let sent = send(shared, &socket, &[b'x'; 70_000], Some(0)).await;
        sent.expect("it is no reason to give up the socket");
        assert_eq!(forwarder.status().quarantined, 1);
        send(shared, &socket, b"short", Some(1))
            .await
            .expect("sent");
        let status = forwarder.status();
        assert_eq!((status.delivered, status.queued), (1, 0));
        let mut datagram = [0; 16];
        let read = relay.recv(&mut datagram).await.expect("a datagram");
        assert_eq!(&datagram[..read], b"short");
    }
}
