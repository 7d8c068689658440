//! The reference service, as a process of its own with a configuration file.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdout, Command};

use super::receivers::Receivers;

const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Service {
    child: Child,
    said: Lines<BufReader<ChildStdout>>,
    addr: SocketAddr,
    dir: TempDir,
}

impl Service {
    /// Starts the service with every pipe pointed at the receivers, and waits until it serves.
    pub(super) async fn start(acme_directory: &str, receivers: &Receivers) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        let relay = receivers.relay();
        // A license that is about to end, so that one rule has reason to fire at once.
        let license_end = std::time::SystemTime::now() + Duration::from_secs(3 * 24 * 3600);
        let config = json!({
            "instance_name": "cap-demo-1",
            "server": { "listen": "127.0.0.1:0" },
            "database": { "path": dir.path().join("demo.sqlite") },
            "acme": { "directory_url": acme_directory },
            "worker": { "backoff": "100ms", "max_attempts": 3 },
            "distribution": { "directory": dir.path().join("deployed") },
            "license": { "expires_at": rfc3339(license_end), "cert_limit": 1000 },
            "telemetry": { "tracing": {
                "enabled": true,
                "endpoint": receivers.otlp_endpoint(),
                "sample_rate": 1.0,
            }},
            "syslog": {
                "enabled": true,
                "host": relay.ip().to_string(),
                "port": relay.port(),
            },
        });
        std::fs::create_dir(dir.path().join("deployed"))?;
        let file = dir.path().join("certautopilot.yaml");
        // JSON is YAML, and quotes what needs quoting.
        std::fs::write(&file, config.to_string())?;

        let log = std::fs::File::create(dir.path().join("certautopilot.log"))?;
        let mut child = Command::new(program()?)
            .arg("--config")
            .arg(&file)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().expect("it is piped");
        let mut service = Service {
            child,
            said: BufReader::new(stdout).lines(),
            addr: SocketAddr::from(([127, 0, 0, 1], 0)),
            dir,
        };
        let first = service.says("listening").await?;
        service.addr = first
            .as_str()
            .and_then(|addr| addr.parse().ok())
            .ok_or_else(|| io::Error::other("no address"))?;
        Ok(service)
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Ends it with SIGTERM and gives back what it reports of its pipes.
    pub(super) async fn stop(mut self) -> io::Result<Value> {
        let pid = self
            .child
            .id()
            .and_then(|pid| Pid::from_raw(pid.cast_signed()));
        let pid =
            pid.ok_or_else(|| io::Error::other(self.with_log("the service has ended by itself")))?;
        kill_process(pid, Signal::TERM)?;
        let report = self.says("shutdown").await?;
        let status = tokio::time::timeout(PATIENCE, self.child.wait()).await??;
        if !status.success() {
            return Err(io::Error::other(
                self.with_log(&format!("the service ended with {status}")),
            ));
        }
        Ok(report)
    }

    /// The value under `key` in the next line of its output.
    async fn says(&mut self, key: &str) -> io::Result<Value> {
        let line = tokio::time::timeout(PATIENCE, self.said.next_line()).await??;
        let said = line.and_then(|line| serde_json::from_str::<Value>(&line).ok());
        match said.and_then(|mut said| said.get_mut(key).map(Value::take)) {
            Some(value) => Ok(value),
            None => Err(io::Error::other(
                self.with_log(&format!("the service did not say {key:?}")),
            )),
        }
    }

    fn with_log(&self, what: &str) -> String {
        let log =
            std::fs::read_to_string(self.dir.path().join("certautopilot.log")).unwrap_or_default();
        let tail: Vec<_> = log.lines().rev().take(20).collect();
        let tail: Vec<_> = tail.into_iter().rev().collect();
        format!("{what}; its log ends with:\n{}", tail.join("\n"))
    }
}

/// The service's executable is built beside this one.
pub(crate) fn program() -> io::Result<PathBuf> {
    let here = std::env::current_exe()?;
    let beside =
        |folder: &Path| Some(folder.join("certautopilot")).filter(|program| program.is_file());
    here.ancestors()
        .skip(1)
        .take(2)
        .find_map(beside)
        .ok_or_else(|| {
            io::Error::other(
                "the reference service is not built: run `cargo build -p certautopilot --bins`",
            )
        })
}

pub(crate) fn rfc3339(time: std::time::SystemTime) -> String {
    chrono::DateTime::<chrono::Utc>::from(time).to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}
