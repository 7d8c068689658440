//! Where the real programs are.

use std::io::Write as _;
use std::path::PathBuf;

/// Where the program is, unless it is not installed; on CI it has to be.
#[expect(
    clippy::disallowed_methods,
    reason = "tests find the peers' programs by the environment"
)]
pub(crate) fn require(tool: &str) -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let cache = variable("CAP_PEERS_DIR")
        .or_else(|| Some(variable("XDG_CACHE_HOME")?.join("certautopilot-peers")))
        .or_else(|| Some(variable("HOME")?.join(".cache/certautopilot-peers")));
    let on_path = std::env::var_os("PATH").unwrap_or_default();
    let found = cache
        .map(|cache| cache.join("bin"))
        .into_iter()
        .chain(std::env::split_paths(&on_path))
        .map(|directory| directory.join(tool))
        .find(|program| program.is_file());
    if found.is_none() {
        // Past the test harness, which shows the output of failed tests only.
        let _ = writeln!(
            std::io::stderr(),
            "skipped: {tool} is not installed (cargo xtask peers installs it)"
        );
        assert!(
            std::env::var_os("CI").is_none_or(|ci| ci != "true"),
            "{tool} is missing on CI"
        );
    }
    found
}
