//! Fuzzing with cargo-fuzz: the targets of `fuzz/`, from their committed seeds and the local
//! corpus.
//!
//! A target is `fuzz/fuzz_targets/NAME.rs` and its entry in `fuzz/Cargo.toml`. Seeds in
//! `fuzz/seeds/NAME/` and a dictionary `fuzz/dictionaries/NAME.dict` are used if they exist.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use lexopt::{Arg, ValueExt as _};

use crate::checkout::{self, Checkout};
use crate::tool;

const VERSION: &str = "0.13.2";

/// Fuzzes a target for a minute, or for `--seconds N`; `--input FILE` runs it once, on a
/// reproducer.
///
/// # Errors
/// The target is unknown, cannot be built, or has crashed. After a crash the error names the input.
pub(crate) fn run(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let said = |error: lexopt::Error| error.to_string();
    let (mut target, mut input, mut seconds) = (None, None, 60);
    let mut parser = lexopt::Parser::from_args(arguments);
    while let Some(argument) = parser.next().map_err(said)? {
        match argument {
            Arg::Long("list") => {
                for target in targets(checkout)? {
                    println!("{target}");
                }
                return Ok(());
            }
            Arg::Long("seconds") => {
                let value = parser.value().and_then(|value| value.parse::<NonZeroU32>());
                seconds = value.map_err(said)?.get();
            }
            Arg::Long("input") => input = Some(PathBuf::from(parser.value().map_err(said)?)),
            Arg::Value(name) => target = Some(name.string().map_err(said)?),
            other => return Err(other.unexpected().to_string()),
        }
    }
    let name = target.ok_or("name a target; `cargo xtask fuzz --list` lists them")?;
    let target = Target::named(checkout, &name)?;
    match input {
        Some(input) => target.reproduce(&input),
        None => target.fuzz(seconds),
    }
}

/// The names of the targets.
fn targets(checkout: &Checkout) -> Result<Vec<String>, String> {
    let folder = checkout.path("fuzz/fuzz_targets");
    let found = entries(&folder)?.into_iter().filter_map(|path| {
        let is_target = path.extension().is_some_and(|extension| extension == "rs");
        let name = path.file_stem()?.to_str()?.to_owned();
        is_target.then_some(name)
    });
    let mut found: Vec<_> = found.collect();
    found.sort();
    Ok(found)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error| format!("cannot list {}: {error}", folder.display());
    let entries = fs::read_dir(folder).map_err(failed)?;
    entries.map(|entry| Ok(entry.map_err(failed)?.path())).collect()
}

struct Target<'a> {
    checkout: &'a Checkout,
    name: &'a str,
}

impl<'a> Target<'a> {
    fn named(checkout: &'a Checkout, name: &'a str) -> Result<Self, String> {
        let known = targets(checkout)?;
        if known.iter().any(|target| target == name) {
            return Ok(Self { checkout, name });
        }
        let known = known.join(", ");
        Err(format!("no target is called {name:?}; there are {known}"))
    }

    /// `cargo fuzz run`. It needs unstable options of rustc, which `RUSTC_BOOTSTRAP` allows.
    fn command(&self) -> Result<Command, String> {
        let mut command = Command::new(tool::installed(self.checkout, "cargo-fuzz", VERSION)?);
        command
            .args(["fuzz", "run", "--fuzz-dir", "fuzz", self.name])
            .env("RUSTC_BOOTSTRAP", "1")
            .current_dir(self.checkout.root());
        Ok(command)
    }

    fn fuzz(&self, seconds: u32) -> Result<(), String> {
        let within = |folder: &str| self.checkout.path("fuzz").join(folder).join(self.name);
        let (corpus, seeds) = (within("corpus"), within("seeds"));
        fs::create_dir_all(&corpus)
            .map_err(|error| format!("cannot create {}: {error}", corpus.display()))?;
        let mut command = self.command()?;
        // libFuzzer writes new inputs into the first folder.
        command.args([Some(&corpus), seeds.is_dir().then_some(&seeds)].iter().flatten());
        command.args(["--", "-print_final_stats=1"]);
        command.arg(format!("-max_total_time={seconds}"));
        let dictionary = within("dictionaries").with_extension("dict");
        if dictionary.is_file() {
            command.arg(format!("-dict={}", dictionary.display()));
        }
        let outcome = watch(&mut command)?;
        let grown = entries(&corpus)?.len();
        match outcome {
            Outcome::Clean { executions } => {
                println!(
                    "{}: {executions} executions, nothing found; the corpus has {grown} inputs",
                    self.name
                );
                Ok(())
            }
            Outcome::Crash { input } => Err(format!(
                "{} crashed; the input is {input}\n  run it again with: cargo xtask fuzz {} --input {input}",
                self.name, self.name
            )),
        }
    }

    fn reproduce(&self, input: &Path) -> Result<(), String> {
        let input = std::path::absolute(input)
            .map_err(|error| format!("cannot find {}: {error}", input.display()))?;
        checkout::run(self.command()?.arg(input))
    }
}

enum Outcome {
    Clean { executions: String },
    Crash { input: String },
}

/// Runs to the end and shows libFuzzer's output without its recommended dictionary.
fn watch(command: &mut Command) -> Result<Outcome, String> {
    let shown = format!("{command:?}");
    let failed = |error| format!("{shown} could not be run: {error}");
    let mut child = command.stderr(Stdio::piped()).spawn().map_err(failed)?;
    let said = child.stderr.take().expect("it is piped");
    let (mut executions, mut input, mut recommending) = (None, None, false);
    for line in BufReader::new(said).split(b'\n') {
        let line = line.map_err(failed)?;
        let line = String::from_utf8_lossy(&line);
        recommending |= line.starts_with("###### Recommended");
        if !recommending {
            eprintln!("{line}");
        }
        recommending &= !line.starts_with("###### End");
        if let Some(count) = line.strip_prefix("stat::number_of_executed_units:") {
            executions = Some(count.trim().to_owned());
        }
        if let Some((_, path)) = line.split_once("Test unit written to ") {
            input = Some(path.trim().to_owned());
        }
    }
    let status = child.wait().map_err(failed)?;
    match (status.success(), executions, input) {
        (true, Some(executions), _) => Ok(Outcome::Clean { executions }),
        (false, _, Some(input)) => Ok(Outcome::Crash { input }),
        _ => Err(format!("{shown} ended with {status}")),
    }
}
