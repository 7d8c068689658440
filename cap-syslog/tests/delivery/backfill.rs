//! Gaps that the primary store fills.

use std::net::{SocketAddr, TcpListener, UdpSocket};
use std::ops::Bound;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use cap_egress::{Guard, Policy};
use cap_syslog::{Backfill, BackfillError, Event, Forwarder, Transport};

use crate::relay::{closes, config, event, events, id, listener, read_all_ids, read_ids};
use cap_testkit::{LONG, until};

type Page = Result<Vec<Event>, BackfillError>;

/// A store of the events that the caller kept, with a fault.
struct Store<F> {
    kept: Arc<Mutex<Vec<Event>>>,
    fault: F,
}

impl<F: Fn(Page) -> Page + Send + Sync + 'static> Backfill for Store<F> {
    fn events(&self, from: Bound<&str>, to: &str, limit: usize) -> Page {
        let kept = self.kept.lock().expect("no panic");
        let place = |id: &str| kept.iter().position(|event| event.id() == id);
        let first = match from {
            Bound::Included(id) => place(id),
            Bound::Excluded(id) => place(id).map(|before| before + 1),
            Bound::Unbounded => None,
        };
        let first = first.ok_or("no such event")?;
        let last = place(to).ok_or("no such event")?;
        let page = kept[first..=last].iter().take(limit).cloned().collect();
        drop(kept);
        (self.fault)(Ok(page))
    }
}

/// A caller that keeps every event before it enqueues it.
struct Caller {
    forwarder: Forwarder,
    kept: Arc<Mutex<Vec<Event>>>,
}

impl Caller {
    /// A caller with a buffer of 1000 events.
    fn new(relay: SocketAddr, fault: impl Fn(Page) -> Page + Send + Sync + 'static) -> Self {
        let kept = Arc::default();
        let mut config = config(relay);
        config.buffer_size = events(1000);
        let store = Store { kept: Arc::clone(&kept), fault };
        let guard = Guard::new(Policy::default());
        let forwarder = Forwarder::builder(config, guard).backfill(store).start();
        Self { forwarder: forwarder.expect("a sound configuration"), kept }
    }

    /// A caller whose relay was away for 5000 events and is back.
    fn after_an_outage(
        fault: impl Fn(Page) -> Page + Send + Sync + 'static,
    ) -> (Self, TcpListener) {
        let (gone, address) = listener();
        drop(gone);
        let caller = Self::new(address, fault);
        caller.enqueue(0..5000);
        assert_eq!(caller.forwarder.status().dropped, 4000);
        let relay = TcpListener::bind(address).expect("the port is free again");
        (caller, relay)
    }

    fn enqueue(&self, range: std::ops::Range<usize>) {
        for n in range {
            let event = event(n);
            self.kept.lock().expect("no panic").push(event.clone());
            self.forwarder.enqueue(event);
        }
    }
}

fn ids(range: std::ops::Range<usize>) -> Vec<String> {
    range.map(|n| format!("e{n}")).collect()
}

fn whole_records(listener: &TcpListener) -> Vec<String> {
    let (stream, _) = listener.accept().expect("a connection");
    read_all_ids(stream)
}

#[test]
fn after_a_long_outage_the_relay_gets_everything_in_order() {
    let (caller, relay) = Caller::after_an_outage(|page| page);
    let reading = thread::spawn(move || whole_records(&relay));
    until("the delivery", LONG, || caller.forwarder.status().backfilled == 4000);
    caller.enqueue(5000..5010);
    let report = caller.forwarder.shutdown(LONG);
    assert_eq!((report.delivered, report.queued), (1010, 0), "{report}");
    assert_eq!((report.dropped, report.backfilled), (4000, 4000));
    assert_eq!(reading.join().expect("no panic"), ids(0..5010));
    closes(&caller.forwarder);
}

#[test]
fn a_relay_that_dies_during_a_gap_gets_what_it_lost_again() {
    let (caller, relay) = Caller::after_an_outage(|page| page);
    let reading = thread::spawn(move || {
        let mut all = Vec::new();
        for read in [300, 2000] {
            let (mut stream, _) = relay.accept().expect("a connection");
            all.extend(read_ids(&mut stream, |ids| ids.len() >= read));
        }
        all.extend(whole_records(&relay));
        all
    });
    until("the delivery", LONG, || caller.forwarder.status().queued == 0);
    let report = caller.forwarder.shutdown(LONG);
    assert_eq!((report.backfilled, report.queued), (4000, 0), "{report}");
    let mut all = reading.join().expect("no panic");
    all.sort_by_key(|id| id[1..].parse::<usize>().expect("a number"));
    all.dedup();
    assert_eq!(all, ids(0..5000));
}

#[test]
fn events_dropped_during_a_gap_are_the_next_gap() {
    let (ask, asked) = std::sync::mpsc::sync_channel(0);
    let (answer, answered) = std::sync::mpsc::channel::<()>();
    let answered = Mutex::new(answered);
    let (caller, relay) = Caller::after_an_outage(move |page| {
        if ask.try_send(()).is_ok() {
            let _ = answered.lock().expect("no panic").recv_timeout(LONG);
        }
        page
    });
    let reading = thread::spawn(move || whole_records(&relay));
    asked.recv_timeout(LONG).expect("a question");
    drop(asked);
    caller.enqueue(5000..8000);
    answer.send(()).expect("somebody waits");
    until("the delivery", LONG, || caller.forwarder.status().queued == 0);
    let report = caller.forwarder.shutdown(LONG);
    assert_eq!((report.dropped, report.backfilled), (7000, 7000));
    assert_eq!(reading.join().expect("no panic"), ids(0..8000));
}

#[test]
fn a_store_is_asked_three_times_before_a_gap_record() {
    for (failures, first) in [(2, "e0"), (usize::MAX, "gap-4000-e0")] {
        let calls = AtomicUsize::new(0);
        let (caller, relay) =
            Caller::after_an_outage(move |page| match calls.fetch_add(1, Ordering::Relaxed) {
                0 if failures > 0 => panic!("a panic is a failure as well"),
                n if n < failures => Err("the disk is full".into()),
                _ => page,
            });
        let reading = thread::spawn(move || whole_records(&relay));
        until("the delivery", LONG, || caller.forwarder.status().queued == 0);
        caller.forwarder.shutdown(LONG);
        let all = reading.join().expect("no panic");
        assert_eq!(all[0], first);
        assert_eq!(all[all.len() - 1000..], ids(4000..5000));
        closes(&caller.forwarder);
    }
}

#[test]
fn events_that_the_store_lacks_are_reported() {
    // Every other event of the first page, and nothing after it.
    let pages = AtomicUsize::new(0);
    let (caller, relay) = Caller::after_an_outage(move |page| {
        if pages.fetch_add(1, Ordering::Relaxed) > 0 {
            return Ok(Vec::new());
        }
        let odd = |event: &Event| event.id().ends_with(['1', '3', '5', '7', '9']);
        page.map(|page| page.into_iter().filter(odd).collect())
    });
    let reading = thread::spawn(move || whole_records(&relay));
    until("the delivery", LONG, || caller.forwarder.status().queued == 0);
    let report = caller.forwarder.shutdown(LONG);
    let all = reading.join().expect("no panic");
    let found = report.backfilled as usize;
    assert!((1..1000).contains(&found), "{report}");
    assert_eq!(all[found], format!("gap-{}-e0", 4000 - found));
    assert_eq!(all[found + 1..], ids(4000..5000));
}

#[test]
fn a_store_that_always_answers_from_the_start_ends() {
    let first = Mutex::new(None);
    let (caller, relay) = Caller::after_an_outage(move |page| {
        let mut first = first.lock().expect("no panic");
        Ok(first.get_or_insert(page?).clone())
    });
    let reading = thread::spawn(move || whole_records(&relay));
    until("the delivery", LONG, || caller.forwarder.status().queued == 0);
    caller.forwarder.shutdown(LONG);
    let all = reading.join().expect("no panic");
    assert_eq!(all[all.len() - 1000..], ids(4000..5000));
    assert!(all.iter().any(|id| id.starts_with("gap-")), "{}", all.len());
}

#[test]
fn a_silent_store_takes_at_most_half_of_a_shutdown() {
    let (hold, held) = std::sync::mpsc::channel::<()>();
    let held = Mutex::new(held);
    let (caller, relay) = Caller::after_an_outage(move |page| {
        let _ = held.lock().expect("no panic").recv_timeout(LONG);
        page
    });
    let reading = thread::spawn(move || whole_records(&relay));
    let start = Instant::now();
    let report = caller.forwarder.shutdown(Duration::from_secs(4));
    assert!(start.elapsed() < LONG / 2, "{:?}", start.elapsed());
    assert_eq!((report.delivered, report.queued), (1001, 0), "{report}");
    let mut expected = ids(4000..5000);
    expected.insert(0, "gap-4000-e0".to_owned());
    assert_eq!(reading.join().expect("no panic"), expected);
    drop(hold);
}

#[test]
fn datagrams_fill_a_gap_too() {
    let (gone, address) = listener();
    drop(gone);
    let caller = Caller::new(address, |page| page);
    // So few that a socket holds them even with a slow reader.
    caller.enqueue(0..1020);
    let relay = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    relay.set_read_timeout(Some(LONG)).expect("a time-out");
    let reading = thread::spawn({
        let relay = relay.try_clone().expect("a handle");
        move || {
            let mut datagram = [0; 4096];
            let mut received = || {
                let read = relay.recv(&mut datagram).expect("a datagram");
                id(str::from_utf8(&datagram[..read]).expect("UTF-8"))
            };
            let first: Vec<_> = (0..40).map(|_| received()).collect();
            first
        }
    });
    let mut datagrams = config(relay.local_addr().expect("bound"));
    datagrams.transport = Transport::Udp;
    datagrams.buffer_size = events(1000);
    caller.forwarder.reconfigure(datagrams).expect("sound");
    assert_eq!(reading.join().expect("no panic"), ids(0..40));
    until("the delivery", LONG, || caller.forwarder.status().backfilled == 20);
}
