//! Checks the dependencies with cargo-deny.

use std::process::Command;

use crate::cargo::{self, root};
use crate::tool;

const VERSION: &str = "0.20.2";

/// Licences, bans and sources. The advisory database has to be fetched, so it is checked only when asked for.
pub(crate) fn run_checks(checks: &[&str]) -> Result<(), String> {
    cargo::run(
        Command::new(tool::installed("cargo-deny", VERSION)?)
            .args(["--all-features", "check"])
            .args(checks)
            .current_dir(root()),
    )
}

pub(crate) fn run(args: &[String]) -> Result<(), String> {
    match args {
        [] => run_checks(&["licenses", "bans", "sources"]),
        [word] if word == "advisories" => run_checks(&["advisories"]),
        _ => Err("usage: cargo xtask deny [advisories]".to_owned()),
    }
}
