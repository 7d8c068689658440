//! The project's own commands: `cargo xtask COMMAND`.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "developers' commands print to the terminal and read their environment"
)]

mod check_rules;
mod checkout;
mod configuration;
mod deny;
mod fuzz;
mod generate;
mod peers;
mod programs;
mod spans;
mod tool;
mod usage;

use std::process::ExitCode;

use checkout::Checkout;
use usage::{Request, Usage};

struct Command {
    name: &'static str,
    usage: Usage,
    run: fn(&Checkout, &[String]) -> Result<(), String>,
}

const fn command(
    name: &'static str,
    usage: &'static str,
    run: fn(&Checkout, &[String]) -> Result<(), String>,
) -> Command {
    Command { name, usage: Usage(usage), run }
}

#[rustfmt::skip]
const COMMANDS: &[Command] = &[
    command("demo", include_str!("usage/demo.txt"), programs::demo),
    command("test", include_str!("usage/test.txt"), programs::test),
    command("bench", include_str!("usage/bench.txt"), programs::bench),
    command("conformance", include_str!("usage/conformance.txt"), programs::conformance),
    command("loss", include_str!("usage/loss.txt"), programs::loss),
    command("soak", include_str!("usage/soak.txt"), programs::soak),
    command("gen", include_str!("usage/gen.txt"), generate::all),
    command("gen-rules", include_str!("usage/gen-rules.txt"), generate::rules),
    command("check-rules", include_str!("usage/check-rules.txt"), check_rules::run),
    command("config-check", include_str!("usage/config-check.txt"), configuration::check),
    command("peers", include_str!("usage/peers.txt"), peers::run),
    command("deny", include_str!("usage/deny.txt"), deny::run),
    command("fuzz", include_str!("usage/fuzz.txt"), fuzz::run),
    command("oracle", include_str!("usage/oracle.txt"), programs::oracle),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((name, arguments)) = arguments.split_first() else {
        eprint!("{}", overview());
        return ExitCode::from(2);
    };
    if matches!(name.as_str(), "help" | "--help" | "-h") {
        print!("{}", overview());
        return ExitCode::SUCCESS;
    }
    let Some(command) = COMMANDS.iter().find(|command| command.name == name) else {
        let names = COMMANDS.iter().map(|command| command.name);
        let near = cap_telemetry::names::nearest(name, names)
            .map_or_else(String::new, |near| format!(": did you mean {near}?"));
        eprintln!("error: unknown command {name}{near}\n\n{}", overview());
        return ExitCode::from(2);
    };
    // Help and a wrong argument are answered before anything is built.
    match command.usage.check(arguments) {
        Ok(Request::Run) => {}
        Ok(Request::Help) => {
            print!("{}", command.usage.0);
            return ExitCode::SUCCESS;
        }
        Err(message) => {
            eprintln!("error: {message}\n\n{}", command.usage.0);
            return ExitCode::from(2);
        }
    }
    match run(command, arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: &Command, arguments: &[String]) -> Result<(), String> {
    let here = std::env::current_dir().map_err(|error| format!("the current folder: {error}"))?;
    (command.run)(&Checkout::above(&here)?, arguments)
}

fn overview() -> String {
    let mut text = "Usage: cargo xtask COMMAND [--help]\n\nCommands:\n".to_owned();
    for Command { name, usage, .. } in COMMANDS {
        text += &format!("  {name:<14}{}\n", usage.summary());
    }
    text
}
