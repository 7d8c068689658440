//! Commands that build something and run it.

use std::path::{Path, PathBuf};
use std::process::Command;

/// The folder that holds the workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a folder of the workspace")
}

/// `cargo` with these arguments, in the workspace.
pub(crate) fn cargo(args: &[&str]) -> Command {
    let program = std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from);
    let mut command = Command::new(program);
    command.args(args).current_dir(root());
    command
}

/// Runs to the end; a failure names the command.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status = command
        .status()
        .map_err(|error| format!("{command:?} could not be started: {error}"))?;
    if status.success() {
        Ok(())
    } else {
        Err(format!("{command:?} ended with {status}"))
    }
}

pub(crate) fn demo(args: &[String]) -> Result<(), String> {
    // One build for the demo and for the service that it starts, which is a process of its own.
    run(&mut cargo(&[
        "build",
        "--package",
        "cap-tests",
        "--package",
        "certautopilot",
        "--bins",
    ]))?;
    let here =
        std::env::current_exe().map_err(|error| format!("this program's own path: {error}"))?;
    run(Command::new(here.with_file_name("demo")).args(args))
}

/// Optimised, since it sends at a rate; and where that is allowed, in a network of its own, whose link can be cut.
pub(crate) fn loss(args: &[String]) -> Result<(), String> {
    let build = [
        "build",
        "--release",
        "--package",
        "cap-tests",
        "--bin",
        "loss",
    ];
    run(&mut cargo(&build))?;
    let program = root().join("target/release/loss");
    let mut alone = Command::new("unshare");
    alone.args(["--net", "--"]);
    let allowed = Command::new("unshare")
        .args(["--net", "--", "true"])
        .output()
        .is_ok_and(|output| output.status.success());
    if allowed {
        run(alone.arg(program).arg("--own-network").args(args))
    } else {
        run(Command::new(program).args(args))
    }
}

/// Optimised; the service is a process of its own.
pub(crate) fn soak(args: &[String]) -> Result<(), String> {
    run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "cap-tests",
        "--package",
        "certautopilot",
        "--bin",
        "soak",
        "--bin",
        "certautopilot",
    ]))?;
    run(Command::new(root().join("target/release/soak")).args(args))
}

pub(crate) fn test(args: &[String]) -> Result<(), String> {
    run(cargo(&["test", "--workspace"]).args(args))
}

/// The tests of `fuzz/`, which is a workspace of its own.
pub(crate) fn oracle(args: &[String]) -> Result<(), String> {
    run(cargo(&["test", "--manifest-path", "fuzz/Cargo.toml"]).args(args))
}

pub(crate) fn bench(args: &[String]) -> Result<(), String> {
    run(cargo(&[
        "bench",
        "--package",
        "cap-bench",
        "--bench",
        "compare",
        "--",
    ])
    .args(args))
}

pub(crate) fn conformance(args: &[String]) -> Result<(), String> {
    run(cargo(&[
        "run",
        "--release",
        "--package",
        "cap-tests",
        "--bin",
        "conformance",
        "--",
    ])
    .args(args))
}
