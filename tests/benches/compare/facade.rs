//! What the facade adds to the pipe behind it.

use std::time::Duration;

use cap_egress::{Guard, Policy};
use cap_syslog::{Config, Event, Forwarder};
use cap_telemetry::Telemetry;
use cap_telemetry::names::Actor;

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
}
