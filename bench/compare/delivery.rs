//! Enqueueing while the relay takes nothing, and throughput to a sink on loopback.
//!
//! The peers of the throughput are syslog-ng's load generator, and the same batches written without
//! asking the kernel what was acknowledged.

#[path = "delivery/sink.rs"]
mod sink;

use std::io::Write as _;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{Config, Event, Forwarder, Framing, Tls, Transport};
use cap_tests::{Authority, find};

use crate::harness::{Bench, Case};
use sink::Sink;

/// Records of a round.
const RECORDS: usize = 200_000;
const ROUNDS: usize = 9;
/// As many as the forwarder writes at once.
const BATCH: usize = 256;

pub(crate) fn run(bench: &mut Bench) {
    enqueue(bench);
    for over in [Over::Tcp, Over::Tls] {
        throughput(bench, over);
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Over {
    Tcp,
    Tls,
}

impl Over {
    fn case(self) -> &'static str {
        match self {
            Over::Tcp => "a record to a sink over TCP",
            Over::Tls => "a record to a sink over TLS",
        }
    }
}

fn event() -> Event {
    Event::new(
        "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA",
        "cert.issued",
        Actor::user("alice@example.com"),
        "Certificate issued for api.example.com",
    )
    .org("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZB")
    .project("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZC")
    .resource("cert:01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZD")
}

fn start(to: SocketAddr, change: impl FnOnce(&mut Config)) -> Forwarder {
    let mut config = Config::new(to.try_into().expect("a port"));
    change(&mut config);
    Forwarder::builder(config, Guard::new(Policy::default()))
        .start()
        .expect("a sound configuration")
}

/// With a relay that reads, and with one that has stopped. Then the buffer is full, and each event
/// drops an old one.
fn enqueue(bench: &mut Bench) {
    // Accepted by the kernel, and never read.
    let wedged = TcpListener::bind("127.0.0.1:0").expect("a port");
    let black_hole = start(wedged.local_addr().expect("bound"), |_| {});
    let fill = |forwarder: &Forwarder| (0..100_000).for_each(|_| forwarder.enqueue(event()));
    fill(&black_hole);
    let sink = Sink::start(None);
    sink.begin();
    let reading = start(sink.addr(), |_| {});
    fill(&reading);
    let sample = event();
    let enqueue = |forwarder: &Forwarder, count| {
        for _ in 0..count {
            forwarder.enqueue(sample.clone());
        }
    };
    bench.compare(
        &Case { case: "enqueue with the relay wedged", peer: "with it reading", floor: 0.833 },
        |count| enqueue(&black_hole, count),
        |count| enqueue(&reading, count),
    );
    for (name, forwarder) in [("wedged", &black_hole), ("reading", &reading)] {
        let mut times: Vec<_> = (0..500_000)
            .map(|_| {
                let event = sample.clone();
                let start = Instant::now();
                forwarder.enqueue(event);
                start.elapsed()
            })
            .collect();
        times.sort();
        let at = |share: f64| times[(times.len() as f64 * share) as usize];
        println!("one call of enqueue, relay {name}: median {:?}, p99.9 {:?}", at(0.5), at(0.999));
        forwarder.shutdown(Duration::ZERO);
    }
}

fn throughput(bench: &mut Bench, over: Over) {
    let authority = Authority::new();
    let mut untracked = Vec::new();
    let mut generated = Vec::new();
    let loggen = find("loggen");
    for _ in 0..ROUNDS {
        let ours = forwarded(over, &authority);
        untracked.push((ours, written(over, &authority)));
        if let Some(loggen) = &loggen
            && let Some(theirs) = generate(loggen, over, &authority)
        {
            generated.push((ours, theirs));
        }
    }
    let case = |peer, floor| Case { case: over.case(), peer, floor };
    bench.measured(&case("batches, untracked", 0.7), &untracked);
    match generated.is_empty() {
        true => println!("{}: loggen sent nothing", over.case()),
        false => bench.measured(&case("loggen", 3.0), &generated),
    }
}

fn sink(over: Over, authority: &Authority) -> Sink {
    Sink::start((over == Over::Tls).then_some(authority))
}

/// Nanoseconds a record of a forwarder whose buffer was filled before the relay started, from the
/// first byte to the last.
fn forwarded(over: Over, authority: &Authority) -> f64 {
    let sink = sink(over, authority);
    let forwarder = start(sink.addr(), |config| {
        config.buffer_size = RECORDS.try_into().expect("in bounds");
        if over == Over::Tls {
            let mut tls = Tls::default();
            tls.ca_pem = Some(authority.ca_pem());
            config.transport = Transport::Tls(Framing::OctetCounting, tls);
        }
    });
    (0..RECORDS).for_each(|_| forwarder.enqueue(event()));
    sink.begin();
    let report = forwarder.shutdown(Duration::from_secs(60));
    assert_eq!(report.delivered, RECORDS as u64, "{report}");
    sink.nanoseconds_per_record()
}

/// The same events, only formatted, framed and written in batches of the same size.
fn written(over: Over, authority: &Authority) -> f64 {
    let sink = sink(over, authority);
    let events: Vec<_> = (0..RECORDS).map(|_| event()).collect();
    let config = Config::new(sink.addr().try_into().expect("a port"));
    let formatter = config.formatter("12345");
    let mut stream = sink.connect((over == Over::Tls).then_some(authority));
    sink.begin();
    let mut batch = Vec::new();
    for events in events.chunks(BATCH) {
        batch.clear();
        for event in events {
            Framing::OctetCounting.append(&mut batch, |out| formatter.write(event, out));
        }
        stream.write_all(&batch).expect("written");
    }
    stream.flush().expect("written");
    drop(stream);
    sink.nanoseconds_per_record()
}

/// Bytes of the sample event on the wire.
fn framed_size() -> usize {
    let config = Config::new("127.0.0.1:601".parse().expect("a relay"));
    let formatter = config.formatter("12345");
    let mut record = Vec::new();
    Framing::OctetCounting.append(&mut record, |out| formatter.write(&event(), out));
    record.len()
}

fn generate(loggen: &std::path::Path, over: Over, authority: &Authority) -> Option<f64> {
    let sink = sink(over, authority);
    sink.begin();
    let transport: &[&str] = match over {
        Over::Tcp => &["--inet", "--stream"],
        Over::Tls => &["--use-ssl"],
    };
    let status = Command::new(loggen)
        .args(transport)
        .args(["--syslog-proto", "--quiet", "--rate", "1000000000", "--interval", "60"])
        .args(["--size", &framed_size().to_string(), "--number", &RECORDS.to_string()])
        .arg(sink.addr().ip().to_string())
        .arg(sink.addr().port().to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success()).then(|| sink.nanoseconds_per_record())
}
