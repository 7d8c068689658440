//! The needs of a test. Without them it is skipped, and on CI it fails.

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

/// Returns what a test needs, or ends the test.
///
/// If it is missing, the test ends with a line on standard error. With `CI=true` the test fails.
/// `require!("promtool")` returns the path of a program. `require!(found, "what is missing, and how
/// to get it")` returns the value of the `Option` `found`. The enclosing function returns its
/// type's default when something is missing: `()`, `None`, an empty list.
#[macro_export]
macro_rules! require {
    ($tool:expr) => {{
        let tool: &str = $tool;
        let missing = ::std::format!("{tool} is not installed (cargo xtask peers installs it)");
        $crate::require!($crate::find(tool), missing)
    }};
    ($found:expr, $missing:expr) => {
        match $crate::found_or_skipped($found, &$missing) {
            ::std::option::Option::Some(found) => found,
            ::std::option::Option::None => return ::std::default::Default::default(),
        }
    };
}

/// Finds a program: where `cargo xtask peers` installs it, else on the `PATH`.
pub fn find(tool: &str) -> Option<PathBuf> {
    let installed = cache().map(|cache| cache.join("bin"));
    let path = set("PATH").unwrap_or_default();
    (installed.into_iter())
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(tool))
        .find(|candidate| candidate.is_file())
        // Each program runs in its own folder.
        .and_then(|found| std::path::absolute(found).ok())
}

/// The same, for a command that cannot do its work without the program.
///
/// # Errors
/// When it is not installed.
pub fn program(name: &str) -> io::Result<PathBuf> {
    find(name).ok_or_else(|| {
        io::Error::other(format!("{name} is not installed: run `cargo xtask peers`"))
    })
}

/// The function behind [`require!`].
///
/// # Panics
/// When `found` is `None` and `CI=true`.
#[doc(hidden)]
pub fn found_or_skipped<T>(found: Option<T>, missing: &str) -> Option<T> {
    if found.is_none() {
        let skipped = format!("skipped: {missing}");
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

#[expect(clippy::disallowed_methods, reason = "where programs are is for the environment to say")]
fn set(variable: &str) -> Option<OsString> {
    std::env::var_os(variable).filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_on_the_path_are_found_and_others_are_not() {
        assert!(find("sh").is_some_and(|sh| sh.is_absolute()));
        assert_eq!(find("no-such-tool"), None);
    }

    #[test]
    fn a_test_goes_on_with_what_it_needs() {
        let shell = require!("sh");
        assert!(shell.ends_with("sh"));
        assert_eq!(require!(Some(1), "never printed"), 1);
    }
}
