//! The reference service as a separate process with a configuration file.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use crate::client::Client;
use crate::peers::Process;

const START: Duration = Duration::from_secs(60);

/// A running service. Its output and its log are one file.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) process: Process,
    pub(crate) addr: SocketAddr,
    pub(crate) client: Client,
    log: PathBuf,
}

impl Service {
    /// Starts a service in the folder `dir` and waits until it serves.
    pub(crate) async fn start(dir: &Path, config: &Value) -> io::Result<Self> {
        // JSON is YAML, and quotes what needs quoting.
        std::fs::write(dir.join("certautopilot.yaml"), config.to_string())?;
        let args = ["--config", "certautopilot.yaml"];
        let mut process = Process::start(&program()?, &args, dir)?;
        let log = dir.join("certautopilot.log");
        let listening = || said(&log, "listening")?.as_str()?.parse().ok();
        process.ready(async || listening().is_some(), START).await?;
        let addr = listening().ok_or_else(|| io::Error::other("the service's log is gone"))?;
        Ok(Self { client: Client::new(addr), process, addr, log })
    }

    /// Ends it with SIGTERM and returns what it reports of its pipelines.
    pub(crate) async fn stop(self) -> io::Result<Value> {
        let status = self.process.stop().await?;
        match said(&self.log, "shutdown") {
            Some(report) if status.success() => Ok(report),
            _ => {
                let log = std::fs::read_to_string(&self.log).unwrap_or_default();
                let what = format!("the service ended with {status}; its log:\n{log}");
                Err(io::Error::other(what))
            }
        }
    }
}

/// The value under `key` in the first line of the log that is JSON and has it.
fn said(log: &Path, key: &str) -> Option<Value> {
    let log = std::fs::read_to_string(log).ok()?;
    log.lines().find_map(|line| {
        let mut line: Value = serde_json::from_str(line).ok()?;
        line.get_mut(key).map(Value::take)
    })
}

/// The service's executable is built beside this one.
fn program() -> io::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let folders = here.ancestors().skip(1).take(2);
    let mut candidates = folders.map(|folder| folder.join("certautopilot"));
    candidates.find(|program| program.is_file()).ok_or_else(|| {
        io::Error::other(
            "the reference service is not built: run `cargo build -p certautopilot --bins`",
        )
    })
}
