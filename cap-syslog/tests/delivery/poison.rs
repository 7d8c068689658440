//! A relay that closes the connection on one record.

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::relay::{closes, event, forwarder, listener, read_ids};
use cap_testkit::{LONG, until};

/// Closes each connection as soon as it has read a record that it `dislikes`, and keeps the ids of
/// those before.
fn relay(
    listener: TcpListener,
    dislikes: impl Fn(&str) -> bool + Send + 'static,
) -> Arc<Mutex<BTreeSet<String>>> {
    let seen = Arc::<Mutex<BTreeSet<String>>>::default();
    let taken = Arc::clone(&seen);
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            read_ids(&mut stream, |ids| {
                let bad = ids.iter().position(|id| dislikes(id));
                let good = &ids[..bad.unwrap_or(ids.len())];
                taken.lock().expect("no panic").extend(good.iter().cloned());
                bad.is_some()
            });
        }
    });
    seen
}

#[test]
fn the_record_is_quarantined_and_named_and_the_rest_flows() {
    let (listener, address) = listener();
    let seen = relay(listener, |id| id == "e20");
    let forwarder = forwarder(address, |_| {});
    (0..40).for_each(|n| forwarder.enqueue(event(n)));
    until("the rest", LONG, || forwarder.status().queued == 0);
    let status = forwarder.status();
    assert_eq!((status.quarantined, status.dropped), (1, 1));
    assert!(status.warning.is_some());
    closes(&forwarder);
    let seen = seen.lock().expect("no panic");
    for n in (0..40).filter(|n| *n != 20) {
        assert!(seen.contains(&format!("e{n}")), "e{n}");
    }
    assert!(seen.contains("gap-1-e20"));
}

#[test]
fn a_relay_that_closes_on_everything_costs_no_record() {
    let (listener, address) = listener();
    let seen = relay(listener, |_| true);
    let forwarder = forwarder(address, |_| {});
    (0..2).for_each(|n| forwarder.enqueue(event(n)));
    // More than the 14 connections after which a poison event would be on trial.
    until("many connections", LONG, || forwarder.status().reconnects > 20);
    let status = forwarder.status();
    assert_eq!((status.dropped, status.queued), (0, 2));
    assert!(seen.lock().expect("no panic").is_empty());
}
