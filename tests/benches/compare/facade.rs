//! What the facade adds to the pipe behind it, and what all pipes together cost the reference service.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use cap_egress::{Guard, Policy};
use cap_syslog::{Config, Event, Forwarder};
use cap_telemetry::names::Actor;
use cap_telemetry::{Document, Telemetry};
use cap_tests::{Authority, load};
use certautopilot::Service;

use crate::harness::{Bench, Case};

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
    service(bench);
}

/// Everything on, a tenth of the traces sampled and audit events over TLS, against everything off. The receivers and the clients
/// have to run on this machine too.
fn service(bench: &mut Bench) {
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
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let ours = Served::start(&runtime, &on);
    let bare = Served::start(&runtime, "telemetry: { metrics: { enabled: false } }");
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
    ours.stop(&runtime);
    bare.stop(&runtime);
}

/// Of so many requests each, from two clients.
const ROUNDS: usize = 61;
const REQUESTS: usize = 1000;

struct Served {
    telemetry: Telemetry,
    service: Service,
}

/// In nanoseconds.
struct Round {
    each: f64,
    p99: f64,
}

impl Served {
    fn start(runtime: &tokio::runtime::Runtime, text: &str) -> Self {
        let mut document = Document::parse("config.yaml", text, []).expect("YAML");
        let pipes = cap_telemetry::Config::from_document(&mut document).expect("sound");
        document.finish().expect("known keys");
        let telemetry = Telemetry::start(pipes).expect("started");
        let mut config = certautopilot::Config::default();
        config.listen = SocketAddr::from(([127, 0, 0, 1], 0));
        let service = runtime.block_on(Service::start(config, telemetry.clone()));
        let service = service.expect("it serves");
        Served { telemetry, service }
    }

    fn round(&self) -> Round {
        let to = self.service.address();
        let mut callers = [0, 1].map(|_| load::Caller::connect(to).expect("it listens"));
        for caller in &mut callers {
            caller.calls(50).expect("answers");
        }
        let start = Instant::now();
        let mut took: Vec<Duration> = std::thread::scope(|scope| {
            let callers = callers.each_mut();
            let calling = callers.map(|caller| scope.spawn(|| caller.calls(REQUESTS)));
            let calls = calling.map(|calls| calls.join().expect("no panic").expect("answers"));
            calls.concat()
        });
        let each = start.elapsed().as_nanos() as f64 / took.len() as f64;
        took.sort_unstable();
        let p99 = took[took.len() * 99 / 100].as_nanos() as f64;
        Round { each, p99 }
    }

    fn stop(self, runtime: &tokio::runtime::Runtime) {
        runtime.block_on(self.service.stop());
        let report = self.telemetry.shutdown(Duration::from_secs(10));
        assert!(report.is_complete(), "{report}");
    }
}
