//! Runs a command to its end or its time limit, and keeps its output in a file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use super::SHORT;
use super::files::{at, write};

/// The output of a peer's commands. Its last lines explain a failure.
pub(super) struct Log(pub(super) PathBuf);

impl Log {
    pub(super) fn create(path: PathBuf) -> Result<Self, String> {
        write(&path, "")?;
        Ok(Self(path))
    }

    /// Runs a program with words as its arguments, in `folder`.
    pub(super) fn line(&self, limit: Duration, folder: &Path, line: &str) -> Result<(), String> {
        self.said(limit, folder, line).map(drop)
    }

    /// The same, and returns the output.
    pub(super) fn said(
        &self,
        limit: Duration,
        folder: &Path,
        line: &str,
    ) -> Result<String, String> {
        let mut words = line.split_whitespace();
        let mut command = Command::new(words.next().unwrap_or_default());
        command.args(words).current_dir(folder).env("LC_ALL", "C");
        // go ignores a workspace or flags of the environment.
        command.env("GOWORK", "off").env("GOFLAGS", "-buildvcs=false");
        command.env("GOBIN", folder.join("root/bin"));
        self.run(limit, &mut command)
    }

    /// Runs a command to its end or its time limit, and returns its output.
    pub(super) fn run(&self, limit: Duration, command: &mut Command) -> Result<String, String> {
        let failed = |e| at("use", &self.0, &e);
        let mut options = File::options();
        let mut file = options.append(true).read(true).open(&self.0).map_err(failed)?;
        let from = file.seek(SeekFrom::End(0)).map_err(failed)?;
        command.stdout(file.try_clone().map_err(failed)?);
        command.stderr(file.try_clone().map_err(failed)?);
        let name = command.get_program().display().to_string();
        let not = |what: &str, e| format!("cannot {what} {name}: {e}");
        let mut child = command.stdin(Stdio::null()).spawn().map_err(|e| not("start", e))?;
        let (begun, mut ended) = (Instant::now(), None);
        while ended.is_none() && begun.elapsed() < limit {
            thread::sleep((begun.elapsed() / 50).clamp(SHORT, SHORT * 40));
            ended = child.try_wait().map_err(|e| not("wait for", e))?;
        }
        if ended.is_none() {
            // It may have just ended, so a failed kill is no error.
            let _ = child.kill();
            let _ = child.wait();
        }
        let mut said = Vec::new();
        file.seek(SeekFrom::Start(from)).map_err(failed)?;
        file.read_to_end(&mut said).map_err(failed)?;
        let said = String::from_utf8_lossy(&said).into_owned();
        let status = match ended {
            Some(status) if status.success() => return Ok(said),
            Some(status) => status.to_string(),
            None => format!("no end in {} s", limit.as_secs()),
        };
        let lines: Vec<_> = said.lines().collect();
        let tail = lines[lines.len().saturating_sub(8)..].join("\n  | ");
        let log = self.0.display();
        Err(format!("{name}: {status}; {log} ends in\n  | {tail}"))
    }
}
