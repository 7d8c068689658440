//! The project's own commands: `cargo xtask <command>`.

#![forbid(unsafe_code)]
#![allow(
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "commands of the developer's talk on the terminal and read their environment"
)]

mod cargo;
mod check_rules;
mod configuration;
mod deny;
mod fuzz;
mod generate;
mod peers;
mod spans;
mod tool;

use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask <command>

  demo [--seconds N] [--json FILE] [--peers]   run the reference service against receivers and show what arrived
  test                                         run every test
  bench NAME [--json FILE]                     compare with peers: egress, metrics, tracing, syslog, delivery, facade or all
  conformance [--events N] [--relay-events N]  hostile audit events through parsers and relays of others, field by field
  loss [--seconds N] [--rate N] [--repeat N] [--fault NAME]
                                               kill, wedge and cut off a real relay, and count what it missed
  soak [--minutes N]                           the reference service at its highest rate: memory flat, accounts closed
  gen [--check]                                write deploy/ and docs/, or fail where they are out of date
  gen-rules [--profile recommended|extended] [--format prometheus|operator] [--overrides FILE] [--set KEY=VALUE]
            [--out DIR | --stdout] [--check]   write the alert rules, as a deployment wants them
  check-rules FILE…                            find faults in rule files that Prometheus does not see
  config-check FILE…                           say whether configuration files are right, and what they switch on
  peers [--only NAME,…] [--list]               install the real programs that tests talk to
  deny [advisories]                            check licences, bans and sources of the dependencies
  fuzz TARGET [--seconds N | --input FILE], fuzz --list
                                               fuzz one of the targets in fuzz/, for a minute unless told otherwise
  oracle                                       compare the egress policy with the crate ssrf-guard
";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some((command, args)) = args.split_first() else {
        eprint!("{USAGE}");
        return ExitCode::from(2);
    };
    let outcome = match command.as_str() {
        "demo" => cargo::demo(args),
        "test" => cargo::test(args),
        "bench" => cargo::bench(args),
        "conformance" => cargo::conformance(args),
        "loss" => cargo::loss(args),
        "soak" => cargo::soak(args),
        "gen" => generate::all(args),
        "gen-rules" => generate::rules(args),
        "config-check" => configuration::check(args),
        "check-rules" => check_rules::run(args),
        "peers" => peers::run(args),
        "deny" => deny::run(args),
        "fuzz" => fuzz::run(args),
        "oracle" => cargo::oracle(args),
        "help" | "--help" | "-h" => {
            print!("{USAGE}");
            Ok(())
        }
        other => Err(format!("unknown command {other:?}\n\n{USAGE}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}
