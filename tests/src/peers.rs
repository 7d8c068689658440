//! The real programs that our output is tested against: where they are, and what keeps them from outliving a test.

mod alertmanager;
mod browser;
mod collector;
mod daemon;
mod pebble;
mod process;
mod prometheus;
mod relay;

pub use alertmanager::Alertmanager;
pub use browser::Browser;
pub use collector::Collector;
pub use pebble::Pebble;
pub use process::Process;
pub use prometheus::Prometheus;
pub use relay::{Relay, RelayInput, RelayRecord, RelaySoftware};
use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// Finds a tool: where `cargo xtask peers` installs it, else on the PATH.
pub fn find(tool: &str) -> Option<PathBuf> {
    let installed = cache().map(|cache| cache.join("bin"));
    let path = set("PATH").unwrap_or_default();
    (installed.into_iter())
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(tool))
        .find(|candidate| candidate.is_file())
        // Programs are run in folders of their own.
        .and_then(|found| std::path::absolute(found).ok())
}

/// Finds a tool that a test cannot do without. When it is missing, says on standard error that the test is skipped.
///
/// # Panics
/// When it is missing and `CI=true`: there, a skipped test is a failed one.
pub fn require(tool: &str) -> Option<PathBuf> {
    let found = find(tool);
    if found.is_none() {
        let skipped = format!("skipped: {tool} is not installed (cargo xtask peers installs it)");
        assert!(set("CI").is_none_or(|ci| ci != "true"), "{skipped}");
        // Past the test harness, which shows the output of failed tests only.
        let _ = writeln!(std::io::stderr(), "{skipped}");
    }
    found
}

fn cache() -> Option<PathBuf> {
    let below = |variable, rest: &str| Some(Path::new(&set(variable)?).join(rest));
    below("CAP_PEERS_DIR", "")
        .or_else(|| below("XDG_CACHE_HOME", "certautopilot-peers"))
        .or_else(|| below("HOME", ".cache/certautopilot-peers"))
}

#[expect(
    clippy::disallowed_methods,
    reason = "where tools are is for the environment to say"
)]
fn set(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_on_the_path_are_found_and_others_are_not() {
        assert!(find("sh").is_some_and(|sh| sh.is_absolute()));
        assert_eq!(find("no-such-tool"), None);
    }
}
