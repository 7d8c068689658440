//! A real Alertmanager.

use super::Process;
use crate::get::Get;
use crate::loopback::free_addr;
use serde_json::Value;
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How long it may take to start.
const START: Duration = Duration::from_secs(30);

/// A running Alertmanager on its own, with its data in a temporary folder.
#[derive(Debug)]
pub struct Alertmanager {
    process: Process,
    addr: SocketAddr,
    client: Get,
    _dir: TempDir,
}

impl Alertmanager {
    /// Starts `program` (from [`require!`](crate::require)) with a whole configuration.
    ///
    /// # Errors
    /// When it does not become ready; the message has the end of its log.
    pub async fn start(program: &Path, config: &Value) -> io::Result<Self> {
        let dir = tempfile::tempdir()?;
        // JSON is YAML, and quotes what needs quoting.
        std::fs::write(dir.path().join("alertmanager.yml"), config.to_string())?;
        let addr = free_addr()?;
        let args = [
            "--config.file=alertmanager.yml".to_owned(),
            "--storage.path=data".to_owned(),
            format!("--web.listen-address={addr}"),
            // No cluster: it would look for other members.
            "--cluster.listen-address=".to_owned(),
        ];
        let mut process = Process::start(program, &args, dir.path())?;
        let client = Get::new();
        let ready: http::Uri = format!("http://{addr}/-/ready").parse().expect("a URI");
        let probe = async || {
            let answer = client.get(ready.clone(), "*/*").await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        process.ready(probe, START).await?;
        Ok(Self {
            process,
            addr,
            client,
            _dir: dir,
        })
    }

    /// `127.0.0.1:PORT`, as Prometheus wants it.
    pub fn target(&self) -> String {
        self.addr.to_string()
    }

    /// The alerts it knows: objects with `labels`, `annotations` and `status`, which has `state` and `inhibitedBy`.
    ///
    /// # Errors
    /// When it gives no such answer.
    pub async fn alerts(&self) -> io::Result<Vec<Value>> {
        let uri = format!("http://{}/api/v2/alerts", self.addr);
        let uri = uri.parse().map_err(io::Error::other)?;
        let answer = self.client.get(uri, "application/json").await;
        Ok(serde_json::from_slice(
            answer.map_err(io::Error::other)?.body(),
        )?)
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    /// Ends it.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub async fn stop(self) -> io::Result<()> {
        self.process.stop().await.map(|_| ())
    }
}
