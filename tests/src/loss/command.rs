//! The campaign: every fault over every transport, and a table.

use super::{Fault, Outcome, Run, fault};
use crate::command::{self, Parser, say};
use crate::peers::RelayInput;
use crate::program;
use lexopt::ValueExt as _;
use std::io;

/// The options of the campaign.
#[derive(Clone, Debug)]
pub struct Options {
    seconds: u64,
    rate: u64,
    repeat: u64,
    /// The faults to run: all, unless one was named.
    faults: Vec<Fault>,
    /// This process has a network of its own.
    own_network: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seconds: 3,
            rate: 20_000,
            repeat: 1,
            faults: Fault::ALL.to_vec(),
            own_network: false,
        }
    }
}

impl command::Options for Options {
    const USAGE: &str = include_str!("../../../xtask/src/usage/loss.txt");

    fn set(&mut self, name: &str, parser: &mut Parser) -> Result<bool, lexopt::Error> {
        match name {
            "seconds" => self.seconds = command::count(parser)?,
            "rate" => self.rate = command::count(parser)?,
            "repeat" => self.repeat = command::count(parser)?,
            "fault" => self.faults = vec![parser.value()?.parse_with(named)?],
            // Not in the usage text: `cargo xtask loss` adds it where it made such a network.
            "own-network" => self.own_network = true,
            _ => return Ok(false),
        }
        Ok(true)
    }
}

fn named(name: &str) -> Result<Fault, String> {
    let fault = Fault::ALL.into_iter().find(|fault| fault.as_str() == name);
    fault.ok_or_else(|| format!("write one of {}", Fault::ALL.map(Fault::as_str).join(", ")))
}

/// Runs the campaign; returns the runs that broke a promise.
///
/// # Errors
/// When rsyslog is not installed or does not start, or a fault cannot be made on this machine.
pub async fn campaign(options: Options) -> io::Result<Vec<String>> {
    let program = program("rsyslogd")?;
    if options.own_network {
        fault::link("up").await?;
    }
    say(&format!(
        "{} events at {}/s each\n{:<12} {:<4} {:>8} {:>10} {:>7} {:>9} {:>10} {:>8} {:>12}",
        options.seconds * options.rate,
        options.rate,
        "fault",
        "over",
        "lost",
        "duplicates",
        "bound",
        "stepsback",
        "reconnects",
        "dropped",
        "max enqueue"
    ));
    let mut broken = Vec::new();
    for _ in 0..options.repeat {
        for &fault in &options.faults {
            if fault == Fault::HalfOpen && !options.own_network {
                if options.faults.len() == 1 {
                    return Err(io::Error::other(
                        "half-open needs a network of its own: run it as root, where `unshare --net` works",
                    ));
                }
                say(&format!(
                    "{:<12} skipped: needs a network of its own, as root",
                    fault.as_str()
                ));
                continue;
            }
            for (input, over) in [(RelayInput::OctetCounting, "tcp"), (RelayInput::Tls, "tls")] {
                let events = options.seconds * options.rate;
                let run = Run {
                    fault,
                    input,
                    events,
                    rate: options.rate,
                    buffer: match fault.outlasts_the_buffer() {
                        true => events / 4,
                        false => events * 2,
                    },
                };
                let outcome = run.run(&program).await?;
                let bound = run.duplicates_at_most(&outcome);
                say(&format!(
                    "{:<12} {over:<4} {:>8} {:>10} {bound:>7} {:>9} {:>10} {:>8} {:>12?}",
                    fault.as_str(),
                    outcome.lost.len(),
                    outcome.duplicates,
                    outcome.steps_back,
                    outcome.reconnects,
                    outcome.report.dropped,
                    outcome.longest_enqueue
                ));
                if let Err(what) = promises(&run, &outcome) {
                    broken.push(format!("{} over {over}: {what}", fault.as_str()));
                }
            }
        }
    }
    Ok(broken)
}

fn promises(run: &Run, outcome: &Outcome) -> Result<(), String> {
    let report = &outcome.report;
    if !outcome.closes() || report.queued > 0 {
        return Err(format!("the account does not close: {report}"));
    }
    if outcome.steps_back > outcome.reconnects {
        return Err("the order changed within a connection".to_owned());
    }
    if outcome.duplicates > run.duplicates_at_most(outcome) {
        return Err("more duplicates than the grace explains".to_owned());
    }
    if run.fault == Fault::Backfilled && report.backfilled != run.events - run.buffer {
        return Err(format!("not all of the gap was filled: {report}"));
    }
    let missing = match run.fault {
        Fault::LongOutage => run.events - run.buffer,
        _ => 0,
    };
    if !outcome.lost.iter().copied().eq(0..missing) {
        return Err(format!("other events are lost than the oldest {missing}"));
    }
    let gaps = match missing {
        0 => Vec::new(),
        // The first event that was dropped is the first of all.
        missing => vec![format!("gap-{missing}-e0")],
    };
    if !outcome.gaps.iter().eq(&gaps) {
        return Err(format!("the gap records are {:?}", outcome.gaps));
    }
    Ok(())
}
