//! A program that a test ends and starts again: same command, same folder, same ports.

use super::Process;
use super::process::{accepts, poll};
use std::ffi::OsString;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;
use tempfile::TempDir;

/// How long it may take to start.
pub(super) const START: Duration = Duration::from_secs(30);

/// A server with a temporary folder, running or stopped. Its files survive a restart.
#[derive(Debug)]
pub struct Daemon {
    pub(super) program: PathBuf,
    pub(super) args: Vec<OsString>,
    pub(super) dir: TempDir,
    /// It is ready when it accepts connections on all of these,
    pub(super) tcp: Vec<SocketAddr>,
    /// and has bound these.
    pub(super) udp: Vec<SocketAddr>,
    pub(super) process: Option<Process>,
}

impl Daemon {
    /// Starts it for the first time, or again after [`stop`](Self::stop) or [`kill`](Self::kill).
    ///
    /// # Errors
    /// When it does not accept connections. The message has the end of its log.
    pub async fn start(&mut self) -> io::Result<()> {
        let mut process = Process::start(&self.program, &self.args, self.dir.path())?;
        let probe = async || {
            for addr in &self.tcp {
                if !accepts(*addr).await {
                    return false;
                }
            }
            self.udp.iter().all(|addr| is_bound(*addr))
        };
        process.ready(probe, START).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it with SIGTERM, which flushes its output.
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub async fn stop(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(process) => process.stop().await.map(drop),
            None => Ok(()),
        }
    }

    /// Ends it with SIGKILL.
    ///
    /// # Errors
    /// When the kernel refuses the signal.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(process) => process.kill().await.map(drop),
            None => Ok(()),
        }
    }

    /// The process, while it runs: to pause it, or to read its log.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    pub(super) fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// The lines it has written to a file, without an unfinished last one. No file is an empty one.
    pub(super) fn lines(&self, file: &str) -> io::Result<Vec<Vec<u8>>> {
        let bytes = match std::fs::read(self.path(file)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            read => read?,
        };
        let end = bytes.iter().rposition(|byte| *byte == b'\n').unwrap_or(0);
        let lines = bytes[..end].split(|byte| *byte == b'\n');
        Ok(lines.filter(|line| !line.is_empty()).map(<[u8]>::to_vec).collect())
    }
}

/// Asks `wanted` about what `read` returns until it says yes; false after `timeout`.
pub(super) async fn wait_until<T>(
    read: impl Fn() -> io::Result<Vec<T>>,
    wanted: impl Fn(&[T]) -> bool,
    timeout: Duration,
) -> bool {
    poll(async || read().is_ok_and(|all| wanted(&all)), timeout).await
}

/// A datagram would be taken for a record, so the port is asked for instead.
fn is_bound(addr: SocketAddr) -> bool {
    UdpSocket::bind(addr).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}
