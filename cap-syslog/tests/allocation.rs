//! The caller and the formatter allocate nothing but the event.

use std::hint::black_box;
use std::net::TcpListener;

use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{Config, Event, Format, Forwarder, Framing};

fn config(port: u16) -> Config {
    Config::new(format!("127.0.0.1:{port}").parse().expect("a relay"))
}

fn event() -> Event {
    Event::new(
        "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA",
        "cert.issued",
        Actor::user("alice@example.com"),
        "Certificate issued for api.example.com",
    )
    .resource("cert:01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZD")
    .param("serial", "04:1f")
}

#[test]
fn formatting_into_a_grown_buffer_allocates_nothing() {
    let event = event();
    for format in [Format::Rfc5424, Format::Cef] {
        let mut config = config(601);
        config.format = format;
        let formatter = config.formatter("12345");
        let mut out = Vec::with_capacity(16 * 1024);
        let counted = allocation_counter::measure(|| {
            for framing in [Framing::OctetCounting, Framing::Newline] {
                framing.append(&mut out, |out| formatter.write(black_box(&event), out));
            }
        });
        assert_eq!(counted.count_total, 0, "{format:?}");
        assert!(!out.is_empty());
    }
}

/// In a buffer with room, and in a full one that drops an event for each.
#[test]
fn enqueueing_allocates_nothing() {
    // The kernel accepts the bytes, and nobody reads them.
    let wedged = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let mut config = config(wedged.local_addr().expect("bound").port());
    config.buffer_size = 1000.try_into().expect("in bounds");
    let guard = Guard::new(Policy::default());
    let forwarder = Forwarder::builder(config, guard).start().expect("a sound configuration");
    for round in 0..3 {
        let events: Vec<_> = (0..1000).map(|_| event()).collect();
        let counted = allocation_counter::measure(|| {
            for event in events {
                forwarder.enqueue(event);
            }
        });
        assert_eq!(counted.count_total, 0, "round {round}");
    }
    assert!(forwarder.status().dropped > 0);
}
