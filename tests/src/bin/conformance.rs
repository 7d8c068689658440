//! `cargo xtask conformance`: generated audit events, field by field, through readers that know nothing of this project.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a command talks on the terminal and reads its arguments"
)]

use std::process::ExitCode;
use std::time::Instant;

use cap_syslog::Framing;
use cap_tests::{conformance, peers};

const USAGE: &str = "usage: cargo xtask conformance [--events N]";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => run(1_000_000),
        ["--events", events] => match events.parse() {
            Ok(events) => run(events),
            Err(_) => Err(USAGE.to_owned()),
        },
        _ => Err(USAGE.to_owned()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(events: usize) -> Result<(), String> {
    let parser = peers::find("go-syslog")
        .ok_or("go-syslog is not installed: cargo xtask peers installs it")?;
    let seed = std::process::id().into();
    println!("seed {seed}");
    for (framing, events) in [
        (Framing::OctetCounting, events.div_ceil(2)),
        (Framing::Newline, events / 2),
    ] {
        let begun = Instant::now();
        let bytes = conformance::go_syslog(&parser, framing, seed, events)?;
        let (seconds, megabytes) = (begun.elapsed().as_secs_f64(), bytes / 1_000_000);
        println!(
            "go-syslog, {framing:?}: {events} events, {megabytes} MB, every field equal, in {seconds:.1} s"
        );
    }
    Ok(())
}
