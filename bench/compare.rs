//! Side-by-side comparisons with peers and with physical bounds: `cargo xtask bench NAME [--json FILE]`.
//!
//! Both sides of a row run in this process, interleaved round by round, so that whatever else the machine does falls on both;
//! a figure is the median of its rounds. A ratio above 1 means ours is better; a row under its floor fails the run.

#![forbid(unsafe_code)]
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    clippy::print_stdout,
    reason = "it talks on the terminal, and compares the guard's connections with plain ones"
)]

#[path = "compare/delivery.rs"]
mod delivery;
#[path = "compare/egress.rs"]
mod egress;
#[path = "compare/facade.rs"]
mod facade;
#[path = "compare/harness.rs"]
mod harness;
#[path = "compare/metrics.rs"]
mod metrics;
#[path = "compare/syslog.rs"]
mod syslog;
#[path = "compare/tracing.rs"]
mod tracing;

use std::process::ExitCode;

use harness::Bench;

type Suite = fn(&mut Bench);

const SUITES: &[(&str, Suite)] = &[
    ("egress", egress::run),
    ("metrics", metrics::run),
    ("tracing", tracing::run),
    ("syslog", syslog::run),
    ("delivery", delivery::run),
    ("facade", facade::run),
];

fn main() -> ExitCode {
    // `cargo bench` adds a flag of its own.
    let args: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| arg != "--bench")
        .collect();
    let (name, json) = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Processes that a comparison starts.
        [tracing::SINK] => return served(tracing::serve()),
        [tracing::MEMORY] => {
            tracing::fill();
            return ExitCode::SUCCESS;
        }
        [facade::SERVICE, pipes, database] => {
            return served(facade::serve(pipes, database));
        }
        [metrics::MEMORY, kind, whose] => {
            metrics::fill(kind, whose);
            return ExitCode::SUCCESS;
        }
        [name] => (name, None),
        [name, "--json", file] => (name, Some(file)),
        _ => return usage(),
    };
    let chosen: Vec<_> = SUITES
        .iter()
        .filter(|(suite, _)| name == "all" || name == *suite)
        .collect();
    if chosen.is_empty() {
        return usage();
    }
    let mut bench = Bench::start();
    for (_, suite) in chosen {
        suite(&mut bench);
    }
    bench.finish(json)
}

fn served(outcome: std::io::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn usage() -> ExitCode {
    let names: Vec<_> = SUITES.iter().map(|(name, _)| *name).collect();
    let names = names.join("|");
    eprintln!("usage: cargo xtask bench {names}|all [--json FILE]");
    ExitCode::from(2)
}
