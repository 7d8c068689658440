//! One connected UDP socket: a record, a datagram, and released as soon as it is handed to the network.
//!
//! The one thing that ever comes back is that nothing listens on the port, and it comes after a datagram was lost. So after
//! that, a new socket risks one record before it sends the others.

use std::io;
use std::pin::Pin;
use std::time::Duration;

use tokio::net::UdpSocket;

use super::orders::{Order, Orders};
use super::settings::Settings;
use super::{End, Shared};
use crate::problem::Problem;
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
    before: &mut Before,
    recall: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> End {
    let outcome = try_forward(shared, settings, &socket, orders, before, recall).await;
    outcome.unwrap_or_else(|error| {
        if error.kind() == io::ErrorKind::ConnectionRefused {
            *before = Before::Refused;
        }
        End::Broken(Problem::broken(&error))
    })
}

async fn try_forward(
    shared: &Shared,
    settings: &Settings,
    socket: &UdpSocket,
    orders: &mut Orders,
    before: &mut Before,
    mut recall: Pin<&mut (dyn Future<Output = ()> + '_)>,
) -> io::Result<End> {
    let mut record = Vec::with_capacity(2048);
    let mut ignored = [0; 1];
    loop {
        let stop = orders.stop();
        record.clear();
        let number = next_record(shared, settings, &mut record);
        if stop.is_some() && number.is_none() {
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
            () = &mut recall => return Ok(End::Left),
            () = shared.more.notified(), if number.is_none() => {}
        }
    }
}

/// Formats the next event, and says its number.
fn next_record(shared: &Shared, settings: &Settings, record: &mut Vec<u8>) -> Option<u64> {
    let mut ring = shared.ring();
    let next = ring.next();
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
            let sent = shared.ring().release_to(number + 1);
            drop(sent);
            shared.succeeded();
            Ok(())
        }
        Err(error) if is_too_long(&error) => {
            shared.ring().set_aside(number);
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
