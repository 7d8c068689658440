//! The campaign: every fault over every transport, and a table.

use super::{Fault, Outcome, Run, fault};
use crate::peers::RelayInput;
use crate::program;
use std::io::{self, Write as _};
use std::process::ExitCode;

struct Options {
    seconds: u64,
    rate: u64,
    repeat: u64,
    /// The faults to run: all, unless one was named.
    faults: Vec<Fault>,
    /// This process has a network of its own.
    own_network: bool,
}

/// Runs the campaign that the arguments describe; fails where a run breaks a promise.
pub async fn main(args: &[String]) -> ExitCode {
    let outcome = match options(args) {
        Ok(options) => campaign(&options).await,
        Err(what) => Err(io::Error::other(what)),
    };
    match outcome {
        Ok(0) => ExitCode::SUCCESS,
        Ok(broken) => {
            let _ = writeln!(io::stderr(), "error: {broken} runs broke a promise");
            ExitCode::FAILURE
        }
        Err(error) => {
            let _ = writeln!(io::stderr(), "error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        seconds: 3,
        rate: 20_000,
        repeat: 1,
        faults: Fault::ALL.to_vec(),
        own_network: false,
    };
    let mut args = args.iter();
    while let Some(name) = args.next() {
        let target = match name.as_str() {
            "--own-network" => {
                options.own_network = true;
                continue;
            }
            "--fault" => {
                let name = args.next().map_or("", String::as_str);
                let fault = Fault::ALL.into_iter().find(|fault| fault.as_str() == name);
                let fault = fault.ok_or_else(|| {
                    let names = Fault::ALL.map(Fault::as_str).join(", ");
                    format!("--fault wants one of {names}; got {name:?}")
                })?;
                options.faults = vec![fault];
                continue;
            }
            "--seconds" => &mut options.seconds,
            "--rate" => &mut options.rate,
            "--repeat" => &mut options.repeat,
            other => return Err(format!("unknown argument {other:?}")),
        };
        let value = args.next().and_then(|value| value.parse().ok());
        *target = value
            .filter(|value| *value > 0)
            .ok_or_else(|| format!("{name} wants a whole number, at least 1"))?;
    }
    Ok(options)
}

async fn campaign(options: &Options) -> io::Result<u64> {
    let program = program("rsyslogd")?;
    if options.own_network {
        fault::link("up").await?;
    }
    let mut out = io::stdout();
    writeln!(
        out,
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
    )?;
    let mut broken = 0;
    for _ in 0..options.repeat {
        for &fault in &options.faults {
            if fault == Fault::HalfOpen && !options.own_network {
                if options.faults.len() == 1 {
                    let what = "half-open needs a network of its own: run it as root, where `unshare --net` works";
                    return Err(io::Error::other(what));
                }
                writeln!(
                    out,
                    "{:<12} skipped: needs a network of its own, as root",
                    fault.as_str()
                )?;
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
                let kept = promises(&run, &outcome);
                writeln!(
                    out,
                    "{:<12} {over:<4} {:>8} {:>10} {bound:>7} {:>9} {:>10} {:>8} {:>12?}{}",
                    fault.as_str(),
                    outcome.lost.len(),
                    outcome.duplicates,
                    outcome.steps_back,
                    outcome.reconnects,
                    outcome.report.dropped,
                    outcome.longest_enqueue,
                    kept.err().map_or(String::new(), |what| {
                        broken += 1;
                        format!("  BROKEN: {what}")
                    })
                )?;
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
