//! Checks the dependencies with cargo-deny.

use std::process::Command;

use crate::checkout::{Checkout, run as run_command};
use crate::tool;

const VERSION: &str = "0.20.2";

/// Licenses, bans and sources by default. The advisory database has to be fetched, so it is checked
/// only by its name.
pub(crate) fn run(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let by_default = ["licenses", "bans", "sources"].map(str::to_owned);
    let checks = if arguments.is_empty() { &by_default[..] } else { arguments };
    run_command(
        Command::new(tool::installed(checkout, "cargo-deny", VERSION)?)
            .args(["--all-features", "check"])
            .args(checks)
            .current_dir(checkout.root()),
    )
}
