//! Formatting and framing, against a memcpy and against the public crates; enqueueing, against
//! tokio's bounded channel.

#[path = "syslog/crates.rs"]
mod crates;

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{Config, Event, Format, Forwarder, Framing};

use crate::harness::{Bench, Case};
use crates::{HOSTNAME, PARAMS, PROCID, SUMMARY};

fn event() -> Event {
    let [(_, id), (_, kind), (_, org), (_, project), _, (_, resource)] = PARAMS;
    Event::new(id, kind, Actor::user("alice@example.com"), SUMMARY)
        .org(org)
        .project(project)
        .resource(resource)
}

pub(crate) fn run(bench: &mut Bench) {
    format(bench);
    enqueue(bench);
}

fn format(bench: &mut Bench) {
    let mut config = Config::new("127.0.0.1:601".parse().expect("a relay"));
    config.hostname = HOSTNAME.to_owned();
    against_memcpy(bench, &config, "format and frame one event", 0.05);
    let mut ours = framed(&config);
    let crates: [(&str, &mut dyn FnMut(u64)); 4] = [
        ("fasyslog", &mut crates::fasyslog()),
        ("syslog", &mut crates::syslog()),
        ("syslog_fmt", &mut crates::syslog_fmt()),
        ("syslog5424", &mut crates::syslog5424()),
    ];
    for (peer, theirs) in crates {
        let case = Case { case: "format and frame one event", peer, floor: 10.0 };
        bench.compare(&case, &mut ours, theirs);
    }
    config.format = Format::Cef;
    // CEF has one number more to write, and the event type twice.
    against_memcpy(bench, &config, "the same as CEF", 0.04);
}

fn against_memcpy(bench: &mut Bench, config: &Config, case: &str, floor: f64) {
    let mut record = Vec::new();
    config.formatter(PROCID).write(&event(), &mut record);
    let mut copy = Vec::with_capacity(64 * 1024);
    let case = Case { case, peer: "memcpy", floor };
    bench.compare(&case, framed(config), |count| {
        for _ in 0..count {
            copy.clear();
            copy.extend_from_slice(black_box(&record));
            black_box(&copy);
        }
    });
}

/// Writes the sample event `count` times into one buffer.
fn framed(config: &Config) -> impl FnMut(u64) + use<> {
    let (formatter, framing) = (config.formatter(PROCID), Framing::default());
    let event = event();
    let mut out = Vec::with_capacity(64 * 1024);
    move |count| {
        for _ in 0..count {
            out.clear();
            framing.append(&mut out, |out| formatter.write(black_box(&event), out));
            black_box(&out);
        }
    }
}

fn enqueue(bench: &mut Bench) {
    // Nobody listens, so the forwarder buffers everything, as during an outage.
    let config = Config::new("127.0.0.1:9".parse().expect("a relay"));
    let forwarder = Forwarder::builder(config, Guard::new(Policy::default()))
        .start()
        .expect("a sound configuration");
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
                // A full channel refuses, and our buffer drops the oldest. With one free slot both
                // do the same work.
                if let Err(full) = sender.try_send(Event::clone(&sample)) {
                    let _ = receiver.try_recv();
                    let _ = sender.try_send(full.into_inner());
                }
            }
        },
    );
    forwarder.shutdown(Duration::ZERO);
}
