//! Checks the dependencies with cargo-deny, installing the pinned version where it is missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::cargo::{self, cargo, root};
use crate::peers;

const VERSION: &str = "0.20.2";

/// Licences, bans and sources. The advisory database has to be fetched, so it is checked only when asked for.
pub(crate) fn run_checks(checks: &[&str]) -> Result<(), String> {
    let tool = installed()?;
    cargo::run(
        Command::new(tool)
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

fn installed() -> Result<PathBuf, String> {
    let folder = peers::cache_folder()?.join("cargo-deny");
    let tool = folder.join("bin/cargo-deny");
    let said = Command::new(&tool)
        .arg("--version")
        .stderr(Stdio::null())
        .output();
    if said.is_ok_and(|said| {
        String::from_utf8_lossy(&said.stdout).trim() == format!("cargo-deny {VERSION}")
    }) {
        return Ok(tool);
    }
    println!("installing cargo-deny {VERSION}, which takes some minutes");
    let mut install = cargo(&[
        "install",
        "--quiet",
        "--locked",
        "--force",
        "--debug",
        "cargo-deny",
        "--version",
        VERSION,
    ]);
    install.arg("--root").arg(&folder);
    cargo::run(&mut install)?;
    Ok(tool)
}
