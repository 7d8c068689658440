//! `cargo xtask conformance`: generated audit events through other projects' readers, field by
//! field.

#![forbid(unsafe_code)]

use std::io;
use std::process::ExitCode;
use std::time::Instant;

use cap_syslog::Framing;
use cap_tests::command::{self, Parser, say};
use cap_tests::conformance::Siem;
use cap_tests::peers::RelaySoftware;
use cap_tests::{conformance, program};

struct Options {
    /// Events for each parser.
    events: usize,
    /// Events for each input of each relay.
    relayed: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { events: 1_000_000, relayed: 10_000 }
    }
}

impl command::Options for Options {
    const USAGE: &str = include_str!("../../../xtask/src/usage/conformance.txt");

    fn set(&mut self, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
        match name {
            "events" => self.events = command::count(parser)? as usize,
            "relay-events" => self.relayed = command::count(parser)? as usize,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    command::run(async |options| {
        run(&options).await.map_err(io::Error::other)?;
        Ok(Vec::new())
    })
    .await
}

async fn run(options: &Options) -> Result<(), String> {
    let &Options { events, relayed } = options;
    let find = |tool: &str| program(tool).map_err(|error| error.to_string());
    let seed = std::process::id().into();
    say(&format!("seed {seed}; every field of every record is compared"));
    for (framing, events) in
        [(Framing::OctetCounting, events.div_ceil(2)), (Framing::Newline, events / 2)]
    {
        let begun = Instant::now();
        let bytes = conformance::go_syslog(&find("go-syslog")?, framing, seed, events)?;
        let (seconds, megabytes) = (begun.elapsed().as_secs_f64(), bytes / 1_000_000);
        say(&format!(
            "go-syslog, {framing:?}: {events} events, {megabytes} MB, all equal, {seconds:.1} s"
        ));
    }
    let parsed = events / 10;
    conformance::vector(seed, parsed)?;
    say(&format!("Vector: {parsed} events, all equal"));
    for siem in Siem::ALL {
        let begun = Instant::now();
        conformance::siem(&find("siem-parsers")?, siem, seed, parsed)?;
        let seconds = begun.elapsed().as_secs_f64();
        say(&format!("{siem:?}: {parsed} events, all equal, {seconds:.1} s"));
    }
    for software in RelaySoftware::ALL {
        let program = find(software.tool())?;
        for way in conformance::inputs(software) {
            let begun = Instant::now();
            conformance::relay(software, &program, way, seed, relayed)
                .await
                .map_err(|why| format!("{software:?}, {way:?}: {why}"))?;
            let seconds = begun.elapsed().as_secs_f64();
            say(&format!("{software:?}, {way:?}: {relayed} events, all equal, {seconds:.1} s"));
        }
    }
    Ok(())
}
