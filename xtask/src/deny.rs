//! Checks the dependencies with cargo-deny.

use std::process::Command;

use crate::checkout::{Checkout, run as run_command};
use crate::tool;

const VERSION: &str = "0.20.2";

/// Licenses, bans and sources by default. The advisory database has to be fetched, so it is a check
/// of its own.
fn run_checks(checkout: &Checkout, checks: &[&str]) -> Result<(), String> {
    run_command(
        Command::new(tool::installed(checkout, "cargo-deny", VERSION)?)
            .args(["--all-features", "check"])
            .args(checks)
            .current_dir(checkout.root()),
    )
}

pub(crate) fn run(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    match arguments {
        [] => run_checks(checkout, &["licenses", "bans", "sources"]),
        [word] if word == "advisories" => run_checks(checkout, &["advisories"]),
        _ => Err("the only other check is `advisories`".to_owned()),
    }
}
