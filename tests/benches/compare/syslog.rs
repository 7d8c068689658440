//! Formatting and framing, against a memcpy and against fasyslog; enqueueing, against tokio's bounded channel.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{Config, Event, Formatter, Forwarder};
use fasyslog::format::SyslogContext;
use fasyslog::{Facility, SDElement, Severity};

use crate::harness::{Bench, Case};

const SUMMARY: &str = "Certificate issued for api.example.com";

/// The structured data of [`event`].
fn element() -> SDElement {
    let mut element = SDElement::new("cap@0").expect("an SD-ID");
    for (name, value) in [
        ("event_id", "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA"),
        ("event_type", "cert.issued"),
        ("org_id", "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZB"),
        ("project_id", "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZC"),
        ("actor", "user:alice@example.com"),
        ("resource", "cert:01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZD"),
    ] {
        element.add_param(name, value).expect("a PARAM-NAME");
    }
    element
}

fn event() -> Event {
    Event::new(
        "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA",
        "cert.issued",
        Actor::user("alice@example.com"),
        SUMMARY,
    )
    .org("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZB")
    .project("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZC")
    .resource("cert:01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZD")
}

pub(crate) fn run(bench: &mut Bench) {
    let config = Config::new("127.0.0.1".parse().expect("an address"), 601);
    let formatter = Formatter::new(&config, "12345");
    let event = event();
    let mut record = Vec::new();
    formatter.write(&event, &mut record);

    let mut out = Vec::with_capacity(64 * 1024);
    let mut ours = |count| {
        for _ in 0..count {
            out.clear();
            config
                .framing
                .append(&mut out, |out| formatter.write(black_box(&event), out));
            black_box(&out);
        }
    };
    let mut copy = Vec::with_capacity(64 * 1024);
    bench.compare(
        &Case {
            case: "format and frame one event",
            peer: "memcpy",
            floor: 0.05,
        },
        &mut ours,
        |count| {
            for _ in 0..count {
                copy.clear();
                copy.extend_from_slice(black_box(&record));
                black_box(&copy);
            }
        },
    );

    let mut context = SyslogContext::new();
    context
        .facility(Facility::LOCAL6)
        .hostname("cap-api-1")
        .appname("certautopilot")
        .procid("12345");
    bench.compare(
        &Case {
            case: "format and frame one event",
            peer: "fasyslog",
            floor: 10.0,
        },
        &mut ours,
        |count| {
            for _ in 0..count {
                let record = context
                    .format_rfc5424(
                        Severity::INFORMATIONAL,
                        None::<String>,
                        vec![element()],
                        Some(SUMMARY),
                    )
                    .to_string();
                black_box(format!("{} {record}", record.len()));
            }
        },
    );
    enqueue(bench);
}

fn enqueue(bench: &mut Bench) {
    // Nobody listens: the forwarder holds what it is given, as during an outage.
    let mut config = Config::new("127.0.0.1".parse().expect("an address"), 9);
    config.buffer_size = 10_000;
    let forwarder =
        Forwarder::start(config, Guard::new(Policy::default())).expect("a sound configuration");
    let sample = Arc::new(event());
    let (sender, mut receiver) = tokio::sync::mpsc::channel::<Event>(10_000);
    bench.compare(
        &Case {
            case: "enqueue without a relay, clone included",
            peer: "tokio try_send",
            floor: 0.5,
        },
        |count| {
            for _ in 0..count {
                forwarder.enqueue(Event::clone(&sample));
            }
        },
        |count| {
            for _ in 0..count {
                // A full channel refuses; ours drops the oldest. Emptying one slot makes both do the same work.
                if let Err(full) = sender.try_send(Event::clone(&sample)) {
                    let _ = receiver.try_recv();
                    let _ = sender.try_send(full.into_inner());
                }
            }
        },
    );
    forwarder.shutdown(Duration::ZERO);
}
