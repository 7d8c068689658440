//! Settings that change while events flow, and fallbacks.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use cap_syslog::{Facility, Relay, Status};

use crate::relay::{
    TlsRelay, bounded, closes, config, event, events, forwarder, listener, read_all_ids, read_ids,
    reader,
};
use cap_testkit::{LONG, until};

#[test]
fn other_settings_under_load_lose_no_event() {
    let (first, old) = listener();
    let (second, new) = listener();
    let tls_relay = TlsRelay::open();
    let forwarder = forwarder(old, |c| c.buffer_size = events(100_000));
    let mut changed = config(new);
    changed.transport = tls_relay.transport();
    changed.buffer_size = events(90_000);
    changed.facility = Facility::local(1);
    let from_first = thread::spawn(move || {
        let (stream, _) = first.accept().expect("a connection");
        read_all_ids(stream)
    });
    let from_second = thread::spawn(move || read_all_ids(tls_relay.accept(&second)));

    let mut enqueued = 0;
    // Enough load that the forwarder is never idle, and not so much that the buffer overflows.
    let mut load_until = |what: &str, holds: &dyn Fn(&Status) -> bool| {
        until(what, LONG, || {
            let status = forwarder.status();
            if status.queued < 50_000 {
                for _ in 0..100 {
                    forwarder.enqueue(event(enqueued));
                    enqueued += 1;
                }
            }
            holds(&status)
        });
    };
    load_until("a release by the old relay", &|s| s.delivered > 0);
    forwarder.reconfigure(changed).expect("sound");
    load_until("the new relay", &|s| s.relay == Some(new.to_string()));
    forwarder.enqueue(event(enqueued));
    let report = forwarder.shutdown(LONG);
    assert_eq!((report.queued, report.dropped), (0, 0), "{report}");

    let before = from_first.join().expect("no panic");
    let after = from_second.join().expect("no panic");
    assert!(!before.is_empty() && !after.is_empty());
    let all: BTreeSet<_> = before.into_iter().chain(after).collect();
    assert_eq!(all.len(), enqueued + 1);
}

#[test]
fn settings_that_cannot_work_leave_the_old_ones_in_force() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |_| {});
    let mut bad = config(address);
    let cap_syslog::Transport::Tls(framing, mut tls) = TlsRelay::open().transport() else {
        unreachable!()
    };
    tls.ca_pem = Some("no certificate".to_owned());
    bad.transport = cap_syslog::Transport::Tls(framing, tls);
    let error = forwarder.reconfigure(bad).expect_err("no certificate");
    assert!(error.to_string().starts_with("syslog.tls"), "{error}");
    forwarder.enqueue(event(1));
    let (mut stream, _) = listener.accept().expect("a connection");
    assert_eq!(read_ids(&mut stream, |ids| ids.len() == 1), ["e1"]);
}

#[test]
fn settings_changed_while_the_relay_is_away_count_at_once() {
    let (gone, old) = listener();
    drop(gone);
    let (listener, new) = listener();
    let forwarder = forwarder(old, |_| {});
    forwarder.enqueue(event(1));
    until("a long pause", LONG, || forwarder.status().last_error.is_some());
    forwarder.reconfigure(config(new)).expect("sound");
    let (mut stream, _) = listener.accept().expect("a connection");
    assert_eq!(read_ids(&mut stream, |ids| ids.len() == 1), ["e1"]);
    closes(&forwarder);
}

#[test]
fn a_fallback_replaces_a_relay_that_is_away_or_takes_nothing() {
    let (gone, away) = listener();
    drop(gone);
    let (refusing, takes_nothing) = listener();
    thread::spawn(move || while refusing.accept().is_ok() {});
    let (listener, fallback) = listener();
    let relay = |address| Relay::try_from(address).expect("a port");
    let forwarder = forwarder(away, |c| {
        c.fallbacks = vec![relay(takes_nothing), relay(fallback)];
    });
    forwarder.enqueue(event(1));
    let reading = reader(listener, |_| false);
    until("the delivery", LONG, || forwarder.status().delivered == 1);
    assert_eq!(forwarder.status().relay, Some(fallback.to_string()));
    forwarder.shutdown(LONG);
    assert_eq!(reading.join().expect("no panic"), ["e1"]);
}

#[test]
fn the_first_relay_is_taken_again_once_it_accepts_connections() {
    let (gone, first) = listener();
    drop(gone);
    let (fallback, second) = listener();
    let forwarder = forwarder(first, |c| {
        c.fallbacks = vec![second.try_into().expect("a port")];
        c.failback = bounded(Duration::from_millis(50));
    });
    forwarder.enqueue(event(1));
    let (mut in_use, _) = fallback.accept().expect("a connection");
    assert_eq!(read_ids(&mut in_use, |ids| ids.len() == 1), ["e1"]);

    let back = TcpListener::bind(first).expect("the port is free again");
    let reading = thread::spawn(move || {
        let mut all = BTreeSet::new();
        // A connection that only tries the relay carries nothing.
        while !all.contains("e2") {
            let (mut stream, _) = back.accept().expect("a connection");
            all.extend(read_ids(&mut stream, |ids| ids.iter().any(|id| id == "e2")));
        }
        all
    });
    until("the return", LONG, || forwarder.status().relay == Some(first.to_string()));
    forwarder.enqueue(event(2));
    assert!(reading.join().expect("no panic").contains("e2"));
    assert_eq!(
        read_ids(&mut in_use, |_| false),
        [""; 0],
        "the connection to the fallback is closed"
    );
    closes(&forwarder);
}
