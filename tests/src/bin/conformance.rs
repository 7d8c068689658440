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
use cap_tests::conformance::Siem;
use cap_tests::peers::RelaySoftware;
use cap_tests::{conformance, program};

const USAGE: &str = "usage: cargo xtask conformance [--events N] [--relay-events N]";

#[tokio::main]
async fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match counts(&args) {
        Ok((events, relayed)) => run(events, relayed).await,
        Err(why) => Err(why),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("error: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Events for the parser, and for each input of each relay.
fn counts(args: &[String]) -> Result<(usize, usize), String> {
    let (mut events, mut relayed) = (1_000_000, 10_000);
    for pair in args.chunks(2) {
        let count = match pair {
            [_, number] => number.parse().map_err(|_| USAGE)?,
            _ => return Err(USAGE.to_owned()),
        };
        match pair[0].as_str() {
            "--events" => events = count,
            "--relay-events" => relayed = count,
            _ => return Err(USAGE.to_owned()),
        }
    }
    Ok((events, relayed))
}

async fn run(events: usize, relayed: usize) -> Result<(), String> {
    let find = |tool: &str| program(tool).map_err(|error| error.to_string());
    let seed = std::process::id().into();
    println!("seed {seed}; every field of every record is compared");
    for (framing, events) in [
        (Framing::OctetCounting, events.div_ceil(2)),
        (Framing::Newline, events / 2),
    ] {
        let begun = Instant::now();
        let bytes = conformance::go_syslog(&find("go-syslog")?, framing, seed, events)?;
        let (seconds, megabytes) = (begun.elapsed().as_secs_f64(), bytes / 1_000_000);
        println!(
            "go-syslog, {framing:?}: {events} events, {megabytes} MB, all equal, {seconds:.1} s"
        );
    }
    let parsed = events / 10;
    conformance::vector(seed, parsed)?;
    println!("Vector: {parsed} events, all equal");
    for siem in Siem::ALL {
        let begun = Instant::now();
        conformance::siem(&find("siem-parsers")?, siem, seed, parsed)?;
        let seconds = begun.elapsed().as_secs_f64();
        println!("{siem:?}: {parsed} events, all equal, {seconds:.1} s");
    }
    for software in RelaySoftware::ALL {
        let program = find(software.tool())?;
        for way in conformance::inputs(software) {
            let begun = Instant::now();
            conformance::relay(software, &program, way, seed, relayed)
                .await
                .map_err(|why| format!("{software:?}, {way:?}: {why}"))?;
            let seconds = begun.elapsed().as_secs_f64();
            println!("{software:?}, {way:?}: {relayed} events, all equal, {seconds:.1} s");
        }
    }
    Ok(())
}
