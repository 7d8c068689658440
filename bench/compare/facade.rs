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
use service::{Round, Service};
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

/// Everything on, a tenth of the traces sampled and audit events over TLS, against everything off; and to see where it goes, each
/// pipe alone, and a second service with everything off, whose ratio says how far the others can be trusted.
///
/// Each service is a process, and they have one processor to themselves, with all threads of their pipes: what is formatted,
/// encrypted and exported counts in full. The clients, the relay and the collector would be other machines, and share another
/// processor. There is always a request under way, so that the services' processor is never idle.
fn everything(bench: &mut Bench) {
    let [inside, outside] = Processor::two();
    outside.enter();
    let authority = Authority::new();
    let relay = load::Relay::start(&authority).expect("a relay");
    let collector = load::Collector::start().expect("a collector");
    let pem = serde_json::to_string(&authority.ca_pem()).expect("JSON");
    let no_metrics = "metrics: { enabled: false }";
    let traces = format!(
        "tracing: {{ enabled: true, endpoint: '{}', sample_rate: 0.1 }}",
        collector.endpoint()
    );
    let audit = format!(
        "syslog: {{ enabled: true, host: {}, port: {}, transport: tcp+tls, tls: {{ ca: {pem} }} }}",
        relay.addr().ip(),
        relay.addr().port(),
    );
    // At most 5 % more.
    let most = 1.0 / 1.05;
    let off = format!("telemetry: {{ {no_metrics} }}");
    let compared = [
        (
            "everything on",
            most,
            format!("telemetry: {{ {traces} }}\n{audit}"),
        ),
        ("metrics on", 0.0, String::new()),
        (
            "traces on",
            0.0,
            format!("telemetry: {{ {no_metrics}, {traces} }}"),
        ),
        ("audit on", 0.0, format!("{off}\n{audit}")),
        ("another with everything off", 0.0, off.clone()),
    ];
    let mut rounds = Vec::new();
    for _ in 0..STARTS {
        inside.enter();
        let pipes = compared.iter().map(|(_, _, pipes)| pipes).chain([&off]);
        let mut services: Vec<_> = pipes.map(|pipes| Service::start(pipes)).collect();
        outside.enter();
        for round in 0..ROUNDS {
            // Whoever runs next finds the caches as another left them, so they take turns. All do the same number of rounds: their
            // databases grow.
            let mut figures = [const { None }; 6];
            let count = services.len();
            for turn in 0..count {
                let next = if round % 2 == 0 {
                    turn
                } else {
                    count - 1 - turn
                };
                let next = (next + round / 2) % count;
                figures[next] = Some(services[next].round());
            }
            rounds.push(figures.map(|figure| figure.expect("it had its turn")));
        }
        services.into_iter().for_each(Service::stop);
    }
    for (index, (what, floor, _)) in compared.iter().enumerate() {
        let figures: [(&str, Figure); 2] = [
            ("a request", |round| round.each),
            ("the 99th percentile", |round| round.p99),
        ];
        for (figure, of) in figures {
            let of_each = |round: &[Round; 6]| (of(&round[index]), of(&round[5]));
            let times: Vec<_> = rounds.iter().map(of_each).collect();
            let case = Case {
                case: &format!("{figure}, {what}"),
                peer: "everything off",
                floor: *floor,
            };
            bench.measured(&case, &times);
        }
    }
}

type Figure = fn(&Round) -> f64;

/// Where a process's memory happens to lie makes a percent or two, so each is started several times.
const STARTS: usize = 5;
/// Of each start, so many that each comes as often after any other.
const ROUNDS: usize = 12;
