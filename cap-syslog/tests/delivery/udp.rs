//! The forwarder over UDP.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use cap_syslog::{Config, Confirmation, Event, Transport};

use crate::relay::{closes, event, forwarder, id};
use cap_testkit::{LONG, until};

fn socket() -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    socket.set_read_timeout(Some(LONG)).expect("a time-out");
    let address = socket.local_addr().expect("bound");
    (socket, address)
}

fn udp(config: &mut Config) {
    config.transport = Transport::Udp;
}

fn receive(socket: &UdpSocket) -> String {
    let mut datagram = [0; 70_000];
    let length = socket.recv(&mut datagram).expect("a datagram");
    String::from_utf8(datagram[..length].to_vec()).expect("UTF-8")
}

#[test]
fn a_datagram_is_one_record_and_is_delivered_at_once() {
    let (socket, address) = socket();
    let forwarder = forwarder(address, udp);
    for n in 0..3 {
        forwarder.enqueue(event(n));
        let record = receive(&socket);
        assert!(record.starts_with("<182>1 ") && record.ends_with("] Logged in"), "{record}");
        assert_eq!(id(&record), format!("e{n}"));
    }
    let report = forwarder.shutdown(LONG);
    assert_eq!((report.delivered, report.queued), (3, 0));
    assert_eq!(forwarder.status().confirmation, Confirmation::Sent);
}

#[test]
fn a_record_is_cut_to_what_every_relay_takes() {
    let (socket, address) = socket();
    let forwarder = forwarder(address, udp);
    let long = "x".repeat(10_000);
    forwarder.enqueue(Event::new("e", "t", cap_names::Actor::system("s"), long));
    assert_eq!(receive(&socket).len(), 2048);
}

#[test]
fn a_closed_port_is_noticed_and_costs_one_event_a_try() {
    let (socket, address) = socket();
    drop(socket);
    let forwarder = forwarder(address, udp);
    // No more than the receiving socket can hold.
    (0..150).for_each(|n| forwarder.enqueue(event(n)));
    until("two refusals", LONG, || forwarder.status().reconnects >= 2);
    let message = forwarder.status().last_error.expect("a refusal").message;
    assert!(message.contains("nothing listens"), "{message}");
    assert!(!message.contains("127.0.0.1"), "{message}");
    assert!(forwarder.status().delivered < 100, "{:?}", forwarder.status());

    let socket = UdpSocket::bind(address).expect("the port is free again");
    socket.set_read_timeout(Some(LONG)).expect("a time-out");
    let first: usize = id(&receive(&socket))[1..].parse().expect("a number");
    assert!(first < 100, "{first}");
    for n in first + 1..150 {
        assert_eq!(id(&receive(&socket)), format!("e{n}"));
    }
    closes(&forwarder);
}

#[test]
fn ipv6_works() {
    let bound = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).ok();
    let socket = cap_testkit::require!(bound, "no IPv6 loopback");
    socket.set_read_timeout(Some(Duration::from_secs(20))).expect("a time-out");
    let forwarder = forwarder(socket.local_addr().expect("bound"), udp);
    forwarder.enqueue(event(1));
    assert_eq!(id(&receive(&socket)), "e1");
}
