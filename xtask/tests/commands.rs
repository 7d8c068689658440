//! How `cargo xtask` answers, from outside.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

fn xtask(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .current_dir(folder)
        // Whatever would build something fails at once.
        .env("CARGO", "/nonexistent/cargo")
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// A folder that looks like the workspace's root.
fn checkout() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("Cargo.toml"), "[workspace]\n").expect("written");
    fs::create_dir_all(folder.path().join("xtask/src")).expect("made");
    folder
}

const COMMANDS: &[&str] = &[
    "demo",
    "test",
    "bench",
    "conformance",
    "loss",
    "soak",
    "gen",
    "gen-rules",
    "check-rules",
    "config-check",
    "peers",
    "deny",
    "fuzz",
    "oracle",
];

#[test]
fn help_is_answered_before_anything_is_built() {
    let folder = tempfile::tempdir().expect("a folder");
    let overview = xtask(folder.path(), &["--help"]);
    assert!(overview.status.success());
    let overview = text(&overview.stdout);
    let listed = overview.lines().filter(|line| line.starts_with("  ")).count();
    assert_eq!(listed, COMMANDS.len(), "{overview}");
    for command in COMMANDS {
        assert!(overview.contains(&format!("\n  {command} ")), "{command}");
        let help = xtask(folder.path(), &[command, "--help"]);
        assert!(help.status.success(), "{command}");
        let usage = format!("Usage: cargo xtask {command}");
        assert!(text(&help.stdout).contains(&usage), "{command}");
    }
}

#[test]
fn a_wrong_argument_is_answered_before_anything_is_built() {
    let folder = checkout();
    for (arguments, said) in [
        (&["dmeo"][..], "unknown command dmeo: did you mean demo?"),
        (&["demo", "--secods", "5"], "unknown option --secods: did you mean --seconds?"),
        (&["soak", "--minutes"], "--minutes: missing argument"),
        (&["soak", "--minutes", "x"], "x is not a whole number"),
        (&["bench"], "name egress|metrics"),
        (&["bench", "egres"], "unknown egres: did you mean egress?"),
        (&["loss", "--fault", "nope"], "--fault: unknown nope"),
        (&["demo", "--json", "--peers"], "--peers is an option"),
        (&["check-rules"], "name FILE"),
        (&["loss", "now"], "unexpected argument now"),
        (&["bench", "--jsn", "f", "all"], "unknown option --jsn: did you mean --json?"),
        (&["gen", "--chek"], "unknown option --chek: did you mean --check?"),
        (&["fuzz", "--second", "5", "egress"], "did you mean --seconds?"),
    ] {
        let answer = xtask(folder.path(), arguments);
        assert_eq!(answer.status.code(), Some(2), "{arguments:?}");
        let answer = text(&answer.stderr);
        assert!(answer.contains(said), "{arguments:?}: {answer}");
        assert!(!answer.contains("nonexistent"), "{arguments:?}: {answer}");
    }
}

#[test]
fn files_are_written_to_the_checkout_it_is_run_in() {
    const DASHBOARD: &str = "deploy/grafana/certautopilot.json";

    let folder = checkout();
    let source = folder.path().join(DASHBOARD);
    fs::create_dir_all(source.parent().expect("a folder")).expect("created");
    let ours = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    fs::copy(Path::new(ours).join(DASHBOARD), source).expect("copied");
    for below in ["", "xtask", "xtask/src"] {
        let written = folder.path().join("docs/spans.md");
        let answer = xtask(&folder.path().join(below), &["gen"]);
        assert!(answer.status.success(), "{}", text(&answer.stderr));
        assert!(text(&answer.stdout).contains("wrote docs/spans.md"), "{below}");
        fs::remove_file(written).expect("it was written");
    }
}

#[test]
fn outside_of_a_checkout_it_says_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let answer = xtask(folder.path(), &["gen"]);
    assert_eq!(answer.status.code(), Some(1));
    let answer = text(&answer.stderr);
    assert!(answer.contains("is not in a checkout of the project"), "{answer}");
}
