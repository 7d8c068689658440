//! The status as a user interface sees it.

use cap_names::ErrorClass;
use cap_syslog::State;

use crate::relay::{event, events, forwarder, listener, read_ids};
use cap_testkit::{LONG, until};

#[test]
fn a_watcher_sees_the_relay_come_and_go_and_as_json() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |c| c.buffer_size = events(2));
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime");
    let mut watch = forwarder.subscribe();
    let mut wait = |what: &str, holds: fn(&cap_syslog::Status) -> bool| {
        runtime
            .block_on(async { tokio::time::timeout(LONG, watch.wait_for(holds)).await })
            .unwrap_or_else(|_| panic!("{what} did not happen"))
            .expect("the forwarder lives")
            .clone()
    };
    let connected = wait("the connection", |s| s.state == State::Connected);
    assert_eq!((connected.last_error, connected.warning), (None, None));

    let (mut stream, _) = listener.accept().expect("a connection");
    forwarder.enqueue(event(1));
    read_ids(&mut stream, |ids| ids.len() == 1);
    let delivered = wait("the delivery", |s| s.delivered == 1);
    assert!(delivered.last_success >= Some(connected.since));

    drop((listener, stream));
    let away = wait("the loss of the relay", |s| s.state == State::Connecting);
    let error = away.last_error.expect("a reason");
    assert_eq!(error.class, ErrorClass::Network);
    (0..5).for_each(|n| forwarder.enqueue(event(n)));
    let full = wait("the drop", |s| s.dropped == 3);
    let json = serde_json::to_value(&full).expect("it serializes");
    assert_eq!(json["state"], "connecting");
    assert_eq!((&json["queued"], &json["capacity"]), (&2.into(), &2.into()));
    assert_eq!(json["last_error"]["class"], "network");
    let warning = json["warning"].as_str().expect("a warning");
    assert!(warning.contains("full") && warning.contains("(3 so far)"), "{warning}");

    drop(forwarder);
    until("the end", LONG, || watch.borrow_and_update().state == State::Stopped);
}
