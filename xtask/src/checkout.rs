//! The checkout that a command acts on.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The workspace around the folder in which a command is run. The program may have been built for
/// another one.
#[derive(Debug)]
pub(crate) struct Checkout {
    root: PathBuf,
}

impl Checkout {
    /// # Errors
    /// No folder above has the workspace's `Cargo.toml`.
    pub(crate) fn above(folder: &Path) -> Result<Self, String> {
        let is_root = |folder: &&Path| {
            let manifest = fs::read_to_string(folder.join("Cargo.toml"));
            manifest.is_ok_and(|text| text.lines().any(|line| line.trim() == "[workspace]"))
                && folder.join("xtask").is_dir()
        };
        match folder.ancestors().find(is_root) {
            Some(root) => Ok(Self { root: root.to_owned() }),
            None => Err(format!(
                "{} is not in a checkout of the project: change into one",
                folder.display()
            )),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn path(&self, below: &str) -> PathBuf {
        self.root.join(below)
    }

    /// A path as a reader of this checkout writes it.
    pub(crate) fn shown(&self, path: &Path) -> String {
        let below = path.strip_prefix(&self.root).unwrap_or(path);
        below.display().to_string()
    }

    /// `cargo` with these arguments.
    pub(crate) fn cargo<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.root);
        command
    }

    /// Where cargo puts what it builds.
    ///
    /// # Errors
    /// cargo does not say.
    pub(crate) fn target(&self) -> Result<PathBuf, String> {
        let mut command = self.cargo(["metadata", "--format-version=1", "--no-deps", "--offline"]);
        let output = command.output().map_err(|error| format!("{command:?}: {error}"))?;
        let metadata = serde_json::from_slice::<serde_json::Value>(&output.stdout);
        let target = metadata.ok().and_then(|it| Some(it["target_directory"].as_str()?.into()));
        target.ok_or_else(|| {
            let said = String::from_utf8_lossy(&output.stderr);
            format!("{command:?} does not say where the target folder is: {said}")
        })
    }
}

/// Runs to the end; a failure names the command.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    let status =
        command.status().map_err(|error| format!("{command:?} could not be started: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("{command:?} ended with {status}")) }
}
