//! What the facade adds to the pipe behind it, and what all pipes together cost the reference service.

#[path = "facade/processor.rs"]
mod processor;
#[path = "facade/service.rs"]
mod service;

use std::time::Duration;

use cap_egress::{Guard, Policy};
use cap_syslog::{Config, Event, Forwarder};
use cap_telemetry::Telemetry;
use cap_telemetry::names::Actor;
use cap_tests::{Authority, load};

use crate::harness::{Bench, Case};
use processor::Processor;
use service::Service;
pub(crate) use service::{SERVICE, serve};

fn event() -> Event {
    Event::new(
        "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA",
        "auth.login",
        Actor::user("alice"),
        "Logged in",
    )
}

pub(crate) fn run(bench: &mut Bench) {
    let config = Config::new("127.0.0.1".parse().expect("an address"), 9);
    let mut all = cap_telemetry::Config::default();
    all.syslog = Some(config.clone());
    let telemetry = Telemetry::start(all).expect("a sound configuration");
    let forwarder =
        Forwarder::start(config, Guard::new(Policy::default())).expect("a sound configuration");
    bench.compare(
        &Case {
            case: "audit one event",
            peer: "the forwarder alone",
            floor: 0.8,
        },
        |count| (0..count).for_each(|_| telemetry.audit(event())),
        |count| (0..count).for_each(|_| forwarder.enqueue(event())),
    );
    telemetry.shutdown(Duration::ZERO);
    forwarder.shutdown(Duration::ZERO);
    std::thread::scope(|scope| {
        // On a thread of its own, since it moves from one processor to another.
        scope.spawn(|| everything(bench));
    });
}

/// Everything on, a tenth of the traces sampled and audit events over TLS, against everything off.
///
/// Each service is a process, and the two have one processor to themselves, with all threads of their pipes: what is formatted,
/// encrypted and exported counts in full. The clients, the relay and the collector would be other machines, and share another
/// processor. There is always a request under way, so that the services' processor is never idle.
fn everything(bench: &mut Bench) {
    let [inside, outside] = Processor::two();
    outside.enter();
    let authority = Authority::new();
    let relay = load::Relay::start(&authority).expect("a relay");
    let collector = load::Collector::start().expect("a collector");
    let pem = serde_json::to_string(&authority.ca_pem()).expect("JSON");
    let on = format!(
        "telemetry: {{ tracing: {{ enabled: true, endpoint: '{}', sample_rate: 0.1 }} }}\n\
         syslog: {{ enabled: true, host: {}, port: {}, transport: tcp+tls, tls: {{ ca: {pem} }} }}\n",
        collector.endpoint(),
        relay.addr().ip(),
        relay.addr().port(),
    );
    inside.enter();
    let mut ours = Service::start(&on);
    let mut bare = Service::start("telemetry: { metrics: { enabled: false } }");
    outside.enter();
    let (mut times, mut tails) = (Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        // Whoever runs second finds the caches as the other left them, so they take turns.
        let (with, without) = if round % 2 == 0 {
            let with = ours.round();
            (with, bare.round())
        } else {
            let without = bare.round();
            (ours.round(), without)
        };
        times.push((with.each, without.each));
        tails.push((with.p99, without.p99));
    }
    for (case, pairs) in [
        ("a request, everything on", &times),
        ("the 99th percentile, everything on", &tails),
    ] {
        let peer = "everything off";
        // At most 5 % more.
        let floor = 1.0 / 1.05;
        bench.measured(&Case { case, peer, floor }, pairs);
    }
    ours.stop();
    bare.stop();
}

const ROUNDS: usize = 41;
