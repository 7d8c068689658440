//! What the facade adds to a pipeline, and what all pipelines together cost the reference service.

#[path = "facade/processor.rs"]
mod processor;
#[path = "facade/service.rs"]
mod service;

use std::path::Path;
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
    Event::new("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA", "auth.login", Actor::user("alice"), "Logged in")
}

pub(crate) fn run(bench: &mut Bench) {
    let config = Config::new("127.0.0.1:9".parse().expect("a relay"));
    let mut all = cap_telemetry::Config::default();
    all.syslog = Some(config.clone());
    let telemetry = Telemetry::start(all).expect("a sound configuration");
    let forwarder = Forwarder::builder(config, Guard::new(Policy::default()))
        .start()
        .expect("a sound configuration");
    bench.compare(
        &Case { case: "audit one event", peer: "the forwarder alone", floor: 0.8 },
        |count| (0..count).for_each(|_| telemetry.audit(event())),
        |count| (0..count).for_each(|_| forwarder.enqueue(event())),
    );
    telemetry.shutdown(Duration::ZERO);
    forwarder.shutdown(Duration::ZERO);
    std::thread::scope(|scope| {
        // The measuring thread moves from one processor to another, so it is not this one.
        scope.spawn(|| everything(bench));
    });
}

/// Everything on against everything off. On means that a tenth of the traces is sampled and audit
/// events go over TLS. The ratio of a second service with everything off shows the noise of the
/// run.
///
/// The floor is the same wherever the database is: at most 5 % more. In production the audit log is
/// in a file. A disk is noisy, so that case takes more rounds. In memory a request takes half as
/// long and waits for nothing, so that case shows best what each pipeline takes of a processor.
///
/// Each service is a process. The services share one processor with all threads of their pipelines,
/// so formatting, encryption and export count in full. The clients, the relay and the collector
/// stand in for other machines and share the other processor, where the clients have priority. A
/// request is always under way, so the services' processor is never idle for want of one.
fn everything(bench: &mut Bench) {
    let [inside, outside] = Processor::two();
    outside.enter();
    let authority = Authority::new();
    let (relay, collector) = processor::aside(|| {
        let relay = load::Relay::start(&authority).expect("a relay");
        (relay, load::Collector::start().expect("a collector"))
    });
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
    let all = format!("telemetry: {{ {traces} }}\n{audit}");
    let off = format!("telemetry: {{ {no_metrics} }}");
    // The folder for temporary files may be in memory, so the database lies beside this program.
    let program = std::env::current_exe().expect("this program has a path");
    let dir = tempfile::tempdir_in(program.parent().expect("in a directory"));
    let dir = dir.expect("a directory");
    let compared = Compared {
        on: vec![
            ("everything on", [MOST; 2], all.clone()),
            ("another with everything off", [0.0; 2], off.clone()),
        ],
        off: off.clone(),
        dir: Some(dir.path()),
        rounds: 24,
    };
    compared.run(bench, [inside, outside]);
    let compared = Compared {
        on: vec![
            ("everything on, in memory", [MOST; 2], all),
            ("another with everything off, in memory", [0.0; 2], off.clone()),
        ],
        off: off.clone(),
        dir: None,
        rounds: 12,
    };
    compared.run(bench, [inside, outside]);
    // The more services take turns, the colder each finds the caches, so these two run alone.
    let compared = Compared {
        on: vec![
            ("metrics on, in memory", [0.0; 2], String::new()),
            ("traces on, in memory", [0.0; 2], format!("telemetry: {{ {no_metrics}, {traces} }}")),
            ("audit on, in memory", [0.0; 2], format!("{off}\n{audit}")),
        ],
        off,
        dir: None,
        rounds: 16,
    };
    compared.run(bench, [inside, outside]);
}

/// Services that differ in their pipelines.
struct Compared<'a> {
    /// What is on, the least ratios of throughput and of p99, and the configuration.
    on: Vec<(&'static str, [f64; 2], String)>,
    off: String,
    /// The folder of their databases; none if they are in memory.
    dir: Option<&'a Path>,
    /// Rounds of each start. Each service follows each other one equally often.
    rounds: usize,
}

impl Compared<'_> {
    fn run(&self, bench: &mut Bench, [inside, outside]: [Processor; 2]) {
        let mut rounds = Vec::new();
        for start in 0..STARTS {
            inside.enter();
            let pipelines = self.on.iter().map(|(_, _, pipelines)| pipelines).chain([&self.off]);
            let services = pipelines.enumerate().map(|(index, pipelines)| {
                let file = format!("{start}-{index}.sqlite");
                Service::start(pipelines, self.dir.map(|dir| dir.join(file)))
            });
            let mut services: Vec<_> = services.collect();
            outside.enter();
            for round in 0..self.rounds {
                // A service finds the caches as the one before left them, so they take turns.
                // Their databases grow, so all do the same number of rounds.
                let count = services.len();
                let mut order: Vec<_> = (0..count).collect();
                if round % 2 == 1 {
                    order.reverse();
                }
                order.rotate_left(round / 2 % count);
                let mut figures: Vec<_> =
                    order.into_iter().map(|next| (next, services[next].round())).collect();
                figures.sort_by_key(|(index, _)| *index);
                rounds.push(figures);
            }
            services.into_iter().for_each(Service::stop);
        }
        for (index, (what, floors, _)) in self.on.iter().enumerate() {
            let figures: [(&str, Figure); 2] =
                [("a request", |round| round.each), ("the 99th percentile", |round| round.p99)];
            for ((figure, of), floor) in figures.into_iter().zip(floors) {
                let of_each = |round: &Vec<(usize, Round)>| {
                    (of(&round[index].1), of(&round[self.on.len()].1))
                };
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
}

type Figure = fn(&Round) -> f64;

/// At most 5 % more.
const MOST: f64 = 1.0 / 1.05;

/// The place of a process's memory changes a figure by a percent or two, so each service is started
/// several times.
const STARTS: usize = 5;
