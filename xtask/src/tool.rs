//! Pinned cargo subcommands, installed into the cache folder if they are missing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::checkout::{Checkout, run};
use crate::peers;

/// The program `cargo-…` in this version.
pub(crate) fn installed(checkout: &Checkout, name: &str, version: &str) -> Result<PathBuf, String> {
    let folder = peers::cache_folder()?.join(name);
    let tool = folder.join("bin").join(name);
    let said = Command::new(&tool).arg("--version").stderr(Stdio::null()).output();
    let wanted = format!("{name} {version}");
    if said.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).trim() == wanted) {
        return Ok(tool);
    }
    println!("installing {wanted}, which takes some minutes");
    let mut install = checkout.cargo(["install", "--quiet", "--locked", "--force", "--debug"]);
    install.args([name, "--version", version, "--root"]);
    run(install.arg(&folder))?;
    Ok(tool)
}
