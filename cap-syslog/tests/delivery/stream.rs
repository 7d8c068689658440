//! What holds on every stream, shown over TCP.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use cap_syslog::State;

use crate::relay::{bounded, closes, event, events, forwarder, listener, read_ids, reader};
use cap_testkit::{LONG, until};

#[test]
fn events_arrive_in_order_and_shutdown_waits_for_the_relay() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |_| {});
    (0..1000).for_each(|n| forwarder.enqueue(event(n)));
    let relay = reader(listener, |_| false);
    let report = forwarder.shutdown(LONG);
    let expected: Vec<_> = (0..1000).map(|n| format!("e{n}")).collect();
    assert_eq!(relay.join().expect("no panic"), expected);
    assert_eq!((report.enqueued, report.delivered, report.queued), (1000, 1000, 0));
    assert_eq!(forwarder.status().state, State::Stopped);
}

#[test]
fn a_relay_that_dies_with_unread_records_gets_them_again() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |c| c.grace = bounded(Duration::from_secs(5)));
    (0..500).for_each(|n| forwarder.enqueue(event(n)));

    // The first relay reads a little and dies: closing a socket with unread bytes resets the
    // connection.
    let (mut first, _) = listener.accept().expect("a connection");
    let mut some = [0; 100];
    first.read_exact(&mut some).expect("some bytes");
    until("the rest", LONG, || forwarder.status().queued == 500);
    drop(first);

    let (mut second, _) = listener.accept().expect("a reconnect");
    let ids = read_ids(&mut second, |ids| ids.len() == 500);
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 500);
    assert_eq!(forwarder.status().reconnects, 1);
    closes(&forwarder);
}

#[test]
fn a_long_outage_loses_exactly_the_oldest_and_reports_them() {
    let (listener, address) = listener();
    drop(listener);
    let forwarder = forwarder(address, |c| c.buffer_size = events(100));
    until("a refused connection", LONG, || forwarder.status().last_error.is_some());
    (0..250).for_each(|n| forwarder.enqueue(event(n)));
    assert_eq!(forwarder.status().dropped, 150);
    assert!(forwarder.status().warning.is_some());

    let listener = TcpListener::bind(address).expect("the port is free again");
    let (mut stream, _) = listener.accept().expect("a reconnect");
    let ids = read_ids(&mut stream, |ids| ids.len() == 101);
    let mut expected: Vec<_> = (150..250).map(|n| format!("e{n}")).collect();
    expected.insert(0, "gap-150-e0".to_owned());
    assert_eq!(ids, expected);
    closes(&forwarder);
}

#[test]
fn a_relay_that_never_reads_does_not_hold_up_shutdown() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |c| c.buffer_size = events(50_000));
    (0..50_000).for_each(|n| forwarder.enqueue(event(n)));
    let (stream, _) = listener.accept().expect("a connection");
    let start = Instant::now();
    let report = forwarder.shutdown(Duration::from_millis(300));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    assert!(report.queued > 0, "{report}");
    assert_eq!(report.enqueued, report.delivered + report.dropped + report.queued);
    drop(stream);
}

#[test]
fn without_a_relay_start_and_shutdown_do_not_wait() {
    let (listener, address) = listener();
    drop(listener);
    let forwarder = forwarder(address, |_| {});
    forwarder.enqueue(event(1));
    let report = forwarder.shutdown(Duration::from_millis(100));
    assert_eq!((report.queued, report.delivered), (1, 0));
}

/// An event that the relay's TCP stack has leaves a full buffer as delivered.
#[test]
fn a_burst_beyond_the_buffer_loses_nothing_acknowledged() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |c| {
        c.buffer_size = events(2000);
        c.grace = bounded(LONG);
    });
    let read = Arc::new(AtomicUsize::new(0));
    let reading = Arc::clone(&read);
    let relay = reader(listener, move |ids| {
        reading.store(ids.len(), Ordering::Release);
        false
    });
    for n in 0..10_000 {
        if n % 500 == 0 {
            until("the relay to catch up", LONG, || read.load(Ordering::Acquire) == n);
        }
        forwarder.enqueue(event(n));
    }
    let report = forwarder.shutdown(LONG);
    let ids = relay.join().expect("no panic");
    assert_eq!((report.dropped, ids.len()), (0, 10_000), "{report}");
}

#[test]
fn a_forwarder_dropped_without_a_shutdown_still_delivers() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |_| {});
    forwarder.enqueue(event(1));
    drop(forwarder);
    let (mut stream, _) = listener.accept().expect("a connection");
    assert_eq!(read_ids(&mut stream, |_| false), ["e1"]);
}

#[test]
fn two_shutdowns_at_once_each_keep_their_deadline() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |c| c.grace = bounded(LONG));
    forwarder.enqueue(event(1));
    let (stream, _) = listener.accept().expect("a connection");
    let long = std::thread::spawn({
        let forwarder = forwarder.clone();
        move || forwarder.shutdown(LONG)
    });
    let start = Instant::now();
    forwarder.shutdown(Duration::from_millis(100));
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    long.join().expect("no panic");
    assert!(start.elapsed() < LONG / 2, "the earlier deadline counts for both");
    forwarder.shutdown(Duration::MAX);
    drop(stream);
}

/// A relay that has read everything may still lose it when it dies.
#[test]
fn a_relay_that_dies_while_a_shutdown_waits_gets_it_all_again() {
    let (listener, address) = listener();
    let grace = Duration::from_millis(500);
    let forwarder = forwarder(address, |c| c.grace = bounded(grace));
    (0..10).for_each(|n| forwarder.enqueue(event(n)));
    let relay = std::thread::spawn(move || {
        let (mut dying, _) = listener.accept().expect("a connection");
        let all = read_ids(&mut dying, |ids| ids.len() == 10);
        drop(dying);
        let died = Instant::now();
        let (mut stream, _) = listener.accept().expect("a reconnect");
        let again = read_ids(&mut stream, |_| false);
        (all == again, again.len(), died.elapsed())
    });
    let report = forwarder.shutdown(LONG);
    assert_eq!((report.delivered, report.queued), (10, 0), "{report}");
    let (same, again, open) = relay.join().expect("no panic");
    assert_eq!((same, again), (true, 10));
    assert!(open >= grace.mul_f32(0.9), "left open for {open:?}");
}

#[test]
fn what_the_relay_says_is_ignored() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |_| {});
    forwarder.enqueue(event(1));
    let (mut stream, _) = listener.accept().expect("a connection");
    stream.write_all(b"hello").expect("written");
    assert_eq!(read_ids(&mut stream, |ids| ids.len() == 1), ["e1"]);
    until("the delivery", LONG, || forwarder.status().delivered == 1);
    assert_eq!(forwarder.status().state, State::Connected);
}
