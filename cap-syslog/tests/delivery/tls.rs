//! What TLS adds to a stream.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Read as _, Write as _};
use std::time::Duration;

use cap_egress::{ClientIdentity, TlsProblem};
use cap_syslog::{State, Transport};

use crate::relay::{TlsRelay, bounded, closes, event, events, forwarder, listener, read_ids};
use cap_testkit::{LONG, until};

#[test]
fn events_arrive_in_order_and_shutdown_sends_close_notify() {
    let (listener, address) = listener();
    let tls_relay = TlsRelay::open();
    let forwarder = forwarder(address, |c| c.transport = tls_relay.transport());
    (0..3000).for_each(|n| forwarder.enqueue(event(n)));
    let relay = std::thread::spawn(move || {
        let mut stream = tls_relay.accept(&listener);
        let ids = read_ids(&mut stream, |ids| ids.len() == 3000);
        // Without the close_notify, this would be an UnexpectedEof.
        let close = stream.read(&mut [0]).map_err(|error| error.kind());
        (ids, close)
    });
    let report = forwarder.shutdown(LONG);
    let (ids, close) = relay.join().expect("no panic");
    let expected: Vec<_> = (0..3000).map(|n| format!("e{n}")).collect();
    assert_eq!((ids, close), (expected, Ok::<_, ErrorKind>(0)));
    assert_eq!((report.delivered, report.queued), (3000, 0));
}

/// The session may not answer after its close, so the forwarder ignores what arrives.
#[test]
fn nonsense_in_answer_to_the_close_harms_nothing() {
    let (listener, address) = listener();
    let tls_relay = TlsRelay::open();
    let forwarder = forwarder(address, |c| c.transport = tls_relay.transport());
    forwarder.enqueue(event(1));
    let relay = std::thread::spawn(move || {
        let mut stream = tls_relay.accept(&listener);
        let ids = read_ids(&mut stream, |_| false);
        // A record of application data that fits no key.
        let wrote = stream.sock.write_all(&[23, 3, 3, 0, 20]);
        let wrote = wrote.and_then(|()| stream.sock.write_all(&[7; 20]));
        (ids, wrote.is_ok())
    });
    let report = forwarder.shutdown(LONG);
    assert_eq!(relay.join().expect("no panic"), (vec!["e1".to_owned()], true));
    assert_eq!((report.delivered, report.queued), (1, 0));
    assert_eq!(forwarder.status().state, State::Stopped);
    assert_eq!(forwarder.status().last_error, None);
}

#[test]
fn a_relay_that_dies_with_unread_records_gets_them_again() {
    let (listener, address) = listener();
    let tls_relay = TlsRelay::open();
    let forwarder = forwarder(address, |c| {
        c.transport = tls_relay.transport();
        c.grace = bounded(Duration::from_secs(5));
    });
    (0..500).for_each(|n| forwarder.enqueue(event(n)));

    let mut first = tls_relay.accept(&listener);
    let mut some = [0; 100];
    first.read_exact(&mut some).expect("some bytes");
    drop(first);

    let mut second = tls_relay.accept(&listener);
    let ids = read_ids(&mut second, |ids| ids.len() == 500);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 500);
    closes(&forwarder);
}

/// Bytes in the buffers of this side's kernel are not acknowledged. Only those that fit into the
/// buffers of the relay are.
#[test]
fn what_the_relay_has_no_room_for_is_not_released() {
    const ROOM: usize = 32 * 1024;
    let (listener, address) = listener();
    // The system doubles the value.
    let socket = socket2::SockRef::from(&listener);
    socket.set_recv_buffer_size(ROOM).expect("an option");
    let tls_relay = TlsRelay::open();
    let forwarder = forwarder(address, |c| {
        c.transport = tls_relay.transport();
        c.grace = bounded(Duration::ZERO);
        c.buffer_size = events(100_000);
    });
    let mut stream = tls_relay.accept(&listener);
    forwarder.enqueue(event(0));
    read_ids(&mut stream, |ids| ids.len() == 1);
    until("the delivery", LONG, || forwarder.status().delivered == 1);
    (1..100_000).for_each(|n| forwarder.enqueue(event(n)));
    let mut before = 0;
    until("a standstill", LONG, || {
        std::thread::park_timeout(Duration::from_millis(500));
        let delivered = forwarder.status().delivered;
        std::mem::replace(&mut before, delivered) == delivered
    });
    let bytes = before as usize * event_size();
    assert!(bytes < 2 * ROOM, "{bytes} bytes of delivered events");
}

/// The length of the shortest record.
fn event_size() -> usize {
    "<182>1 2026-01-01T00:00:00.000Z - certautopilot 1 - [cap@0 event_id=\"e1\" event_type=\"auth.login\" actor=\"user:alice\"] Logged in".len()
}

#[test]
fn a_relay_that_wants_a_client_certificate_is_recognized() {
    let (listener, address) = listener();
    let tls_relay = TlsRelay::certified();
    let Transport::Tls(framing, mut tls) = tls_relay.transport() else { unreachable!() };
    let client = tls_relay.client();
    let forwarder = forwarder(address, |c| {
        c.transport = Transport::Tls(framing, tls.clone());
    });
    forwarder.enqueue(event(0));
    let relay = std::thread::spawn(move || {
        loop {
            let mut stream = tls_relay.accept(&listener);
            let ids = read_ids(&mut stream, |ids| ids.len() == 1);
            if !ids.is_empty() {
                return (ids, stream);
            }
        }
    });
    until("the relay's refusal", LONG, || {
        let error = forwarder.status().last_error;
        error.is_some_and(|error| error.tls == Some(TlsProblem::ClientCertificateRequired))
    });
    let identity = ClientIdentity::from_pem(client.chain_pem.as_bytes(), client.key_pem.as_bytes());
    tls.identity = Some(identity.expect("a certificate and its key"));
    let mut config = crate::relay::config(address);
    config.transport = Transport::Tls(framing, tls);
    forwarder.reconfigure(config).expect("sound");
    until("the event", LONG, || relay.is_finished());
    let (ids, stream) = relay.join().expect("no panic");
    assert_eq!(ids, ["e0"]);
    until("the delivery", LONG, || forwarder.status().delivered == 1);
    drop(stream);
}

#[test]
fn a_relay_that_speaks_back_and_changes_its_keys_is_served_on() {
    let (listener, address) = listener();
    let tls_relay = TlsRelay::open();
    let forwarder = forwarder(address, |c| c.transport = tls_relay.transport());
    forwarder.enqueue(event(0));
    let mut stream = tls_relay.accept(&listener);
    assert_eq!(read_ids(&mut stream, |ids| ids.len() == 1), ["e0"]);
    stream.write_all(&[b'x'; 5000]).expect("written");
    stream.conn.refresh_traffic_keys().expect("TLS 1.3");
    stream.flush().expect("written");
    forwarder.enqueue(event(1));
    assert_eq!(read_ids(&mut stream, |ids| ids.len() == 1), ["e1"]);
    until("the delivery", LONG, || forwarder.status().delivered == 2);
    assert_eq!(forwarder.status().state, State::Connected);
    closes(&forwarder);
}
