//! Side-by-side comparisons with peers and with physical bounds:
//! `cargo xtask bench NAME [--json FILE]`.
//!
//! Both sides of a row run in this process and take turns round by round, so a disturbance of the
//! machine slows both. A figure is the median of its rounds. Above a ratio of 1 ours is better. A
//! row under its floor fails the run.

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

use std::path::PathBuf;
use std::process::ExitCode;

use harness::Bench;
use lexopt::Arg;

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
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        // Processes that a comparison starts.
        [tracing::SINK] => served(tracing::serve()),
        [tracing::MEMORY] => {
            tracing::fill();
            ExitCode::SUCCESS
        }
        [facade::SERVICE, pipelines, database] => served(facade::serve(pipelines, database)),
        [metrics::MEMORY, kind, whose] => {
            metrics::fill(kind, whose);
            ExitCode::SUCCESS
        }
        _ => match Options::parse(arguments) {
            Ok(options) => options.run(),
            Err(error) => {
                eprintln!("error: {error}\n\n{USAGE}");
                ExitCode::from(2)
            }
        },
    }
}

const USAGE: &str = include_str!("../xtask/src/usage/bench.txt");

struct Options {
    chosen: Vec<Suite>,
    json: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: Vec<String>) -> Result<Self, lexopt::Error> {
        let (mut chosen, mut json) = (Vec::new(), None);
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            match argument {
                Arg::Long("json") => json = Some(parser.value()?.into()),
                Arg::Value(name) => {
                    let suites = SUITES.iter().filter(|(suite, _)| name == "all" || name == *suite);
                    let before = chosen.len();
                    chosen.extend(suites.map(|&(_, suite)| suite));
                    if chosen.len() == before {
                        return Err(Arg::Value(name).unexpected());
                    }
                }
                other => return Err(other.unexpected()),
            }
        }
        if chosen.is_empty() {
            return Err("name a comparison, or all".into());
        }
        Ok(Self { chosen, json })
    }

    fn run(self) -> ExitCode {
        let mut bench = Bench::start();
        for suite in self.chosen {
            suite(&mut bench);
        }
        bench.finish(self.json.as_deref())
    }
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
