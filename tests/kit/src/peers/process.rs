//! A program that ends with its guard, and whose log is at hand when it does not start.

use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::process::{Child, Command};

/// How long a program gets between SIGTERM and SIGKILL.
const PATIENCE: Duration = Duration::from_secs(10);

/// How often a program outside is asked whether it is as far as wanted: it cannot notify us.
const POLL: Duration = Duration::from_millis(10);

/// A running program. It is killed when this is dropped.
#[derive(Debug)]
pub struct Process {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Runs `program` in the folder `dir`, where its output goes to the end of `NAME.log`.
    ///
    /// # Errors
    /// When it cannot be run, or the log cannot be written.
    pub fn start<A: AsRef<OsStr>>(program: &Path, args: &[A], dir: &Path) -> io::Result<Self> {
        Self::start_with(program, args, &[], dir)
    }

    /// The same with additional environment variables.
    ///
    /// # Errors
    /// As [`start`](Self::start).
    pub fn start_with<A: AsRef<OsStr>>(
        program: &Path,
        args: &[A],
        env: &[(&str, &str)],
        dir: &Path,
    ) -> io::Result<Self> {
        let name = program.file_name().unwrap_or_default();
        let name = name.to_string_lossy().into_owned();
        let log = dir.join(format!("{name}.log"));
        let output = OpenOptions::new().create(true).append(true).open(&log)?;
        let child = Command::new(program)
            .args(args)
            .envs(env.iter().copied())
            .current_dir(dir)
            .stdin(Stdio::null())
            .stdout(output.try_clone()?)
            .stderr(output)
            .kill_on_drop(true)
            .spawn()?;
        Ok(Self { name, child, log })
    }

    /// Its process id; none once it has ended.
    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// Its output so far.
    pub fn log(&self) -> String {
        let log = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&log).into_owned()
    }

    /// Waits until `probe` finds it ready.
    ///
    /// # Errors
    /// When it ends first, or is not ready within `timeout`. The message has the end of its log.
    pub async fn ready(
        &mut self,
        probe: impl AsyncFn() -> bool,
        timeout: Duration,
    ) -> io::Result<()> {
        let what = tokio::select! {
            ended = self.child.wait() => format!("ended with {}", ended?),
            ready = poll(probe, timeout) => {
                if ready {
                    return Ok(());
                }
                format!("is not ready after {timeout:?}")
            }
        };
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let tail = lines[lines.len().saturating_sub(20)..].join("\n");
        Err(io::Error::other(format!("{} {what}; its log ends:\n{tail}", self.name)))
    }

    /// Asks it to end, and kills it when it has not after ten seconds.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub async fn stop(mut self) -> io::Result<ExitStatus> {
        self.signal(Signal::TERM)?;
        match tokio::time::timeout(PATIENCE, self.child.wait()).await {
            Ok(ended) => ended,
            Err(_) => self.kill().await,
        }
    }

    /// Kills it and waits until it is gone.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub async fn kill(mut self) -> io::Result<ExitStatus> {
        self.child.start_kill()?;
        self.child.wait().await
    }

    /// Freezes it, as a wedged peer: its sockets stay open and nothing reads them.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub fn pause(&self) -> io::Result<()> {
        self.signal(Signal::STOP)
    }

    fn signal(&self, signal: Signal) -> io::Result<()> {
        // No id: it was waited for, and the number may belong to another process by now.
        match self.child.id().and_then(|id| Pid::from_raw(id as i32)) {
            Some(pid) => Ok(kill_process(pid, signal)?),
            None => Ok(()),
        }
    }
}

/// Asks `probe` again and again until it says yes; false after `timeout`.
pub(super) async fn poll(probe: impl AsyncFn() -> bool, timeout: Duration) -> bool {
    let asking = async {
        let mut ticks = tokio::time::interval(POLL);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if probe().await {
                return;
            }
        }
    };
    tokio::time::timeout(timeout, asking).await.is_ok()
}

/// Whether something accepts connections there.
#[expect(clippy::disallowed_methods, reason = "on loopback, to a program this process has started")]
pub(super) async fn accepts(addr: std::net::SocketAddr) -> bool {
    tokio::net::TcpStream::connect(addr).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Duration = Duration::from_secs(5);

    fn shell(script: &str) -> (Process, tempfile::TempDir) {
        let dir = tempfile::tempdir().expect("a folder");
        let sh = crate::find("sh").expect("a shell");
        let process = Process::start(&sh, &["-c", script], dir.path()).expect("it runs");
        (process, dir)
    }

    #[tokio::test]
    async fn a_program_that_fails_at_its_start_shows_the_end_of_its_log() {
        let (mut process, _dir) = shell("echo no such setting >&2; exit 3");
        let error = process.ready(async || false, SOON).await.expect_err("it ended");
        assert_eq!(
            error.to_string(),
            "sh ended with exit status: 3; its log ends:\nno such setting"
        );
        process.stop().await.expect("stopping what has ended is no error");
    }

    #[tokio::test]
    async fn stop_is_a_sigterm_that_the_program_sees() {
        let (mut process, _dir) =
            shell("trap 'exit 7' TERM; echo up; while :; do sleep 0.01; done");
        let log = process.log.clone();
        let up = async || std::fs::read_to_string(&log).is_ok_and(|log| log.contains("up"));
        process.ready(up, SOON).await.expect("up");
        assert_eq!(process.stop().await.expect("stopped").code(), Some(7));
    }

    #[tokio::test]
    async fn a_dropped_process_is_gone() {
        let (process, _dir) = shell("exec sleep 60");
        let pid = process.pid().and_then(|id| Pid::from_raw(id as i32)).expect("it runs");
        drop(process);
        let gone = async || rustix::process::test_kill_process(pid).is_err();
        assert!(poll(gone, SOON).await);
    }
}
