//! Commands that build a program of the workspace and run it.

use std::process::Command;

use crate::checkout::{Checkout, run};

pub(crate) fn demo(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    // The demo starts the service as a process, so both are built here.
    let build = "build --package cap-tests --package certautopilot --bins";
    run(&mut checkout.cargo(build.split(' ')))?;
    run(Command::new(checkout.target()?.join("debug/demo")).args(arguments))
}

/// Optimized, since it sends at a rate. In a network namespace of its own where the kernel allows
/// one, so that its link can be cut.
pub(crate) fn loss(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let build = "build --release --package cap-tests --bin loss";
    run(&mut checkout.cargo(build.split(' ')))?;
    let program = checkout.target()?.join("release/loss");
    let own_network = ["--net", "--"];
    let is_allowed = Command::new("unshare")
        .args(own_network)
        .arg("true")
        .output()
        .is_ok_and(|output| output.status.success());
    if is_allowed {
        let mut unshare = Command::new("unshare");
        unshare.args(own_network).arg(program).arg("--own-network");
        run(unshare.args(arguments))
    } else {
        run(Command::new(program).args(arguments))
    }
}

/// Optimized. The service is a process of its own.
pub(crate) fn soak(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let build = "build --release --package cap-tests --package certautopilot --bin soak --bin certautopilot";
    run(&mut checkout.cargo(build.split(' ')))?;
    run(Command::new(checkout.target()?.join("release/soak")).args(arguments))
}

pub(crate) fn conformance(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let build = "run --release --package cap-tests --bin conformance --";
    run(checkout.cargo(build.split(' ')).args(arguments))
}

pub(crate) fn bench(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let bench = "bench --package cap-bench --bench compare --";
    let mut command = checkout.cargo(bench.split(' '));
    // cargo runs a benchmark in its package's folder.
    let mut is_file = false;
    for argument in arguments {
        match argument.strip_prefix("--json=") {
            Some(file) => command.arg(format!("--json={}", absolute(file)?)),
            None if is_file => command.arg(absolute(argument)?),
            None => command.arg(argument),
        };
        is_file = argument == "--json";
    }
    run(&mut command)
}

fn absolute(file: &str) -> Result<String, String> {
    let path = std::path::absolute(file).map_err(|error| format!("{file}: {error}"))?;
    Ok(path.display().to_string())
}

pub(crate) fn test(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    run(checkout.cargo(["test", "--workspace"]).args(arguments))
}

/// The tests of `fuzz/`, which is a workspace of its own.
pub(crate) fn oracle(checkout: &Checkout, arguments: &[String]) -> Result<(), String> {
    let test = ["test", "--manifest-path", "fuzz/Cargo.toml"];
    run(checkout.cargo(test).args(arguments))
}
