//! A program with an HTTP API, which says on `/-/ready` that it is ready.

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
pub(super) const START: Duration = Duration::from_secs(30);

/// A running program with its data in a temporary folder.
#[derive(Debug)]
pub struct Web {
    process: Process,
    addr: SocketAddr,
    client: Get,
    _dir: TempDir,
}

impl Web {
    /// Starts `program` in `dir` with `args` and a `--web.listen-address`. Waits until it is ready.
    pub(super) async fn start(program: &Path, args: &[&str], dir: TempDir) -> io::Result<Self> {
        let addr = free_addr()?;
        let listen = format!("--web.listen-address={addr}");
        let args = [args, &[&listen]].concat();
        let mut process = Process::start(program, &args, dir.path())?;
        let client = Get::default();
        let ready: http::Uri = format!("http://{addr}/-/ready").parse().expect("a URI");
        let probe = async || {
            let answer = client.get(ready.clone(), "*/*").await;
            answer.is_ok_and(|answer| answer.status() == 200)
        };
        process.ready(probe, START).await?;
        Ok(Self { process, addr, client, _dir: dir })
    }

    /// `127.0.0.1:PORT`.
    pub fn target(&self) -> String {
        self.addr.to_string()
    }

    /// `http://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The process.
    pub fn process(&self) -> &Process {
        &self.process
    }

    pub(super) async fn get(&self, path: &str) -> io::Result<Value> {
        let uri = format!("{}{path}", self.url());
        let uri = uri.parse().map_err(io::Error::other)?;
        let answer = self.client.get(uri, "application/json").await;
        let answer = answer.map_err(io::Error::other)?;
        Ok(serde_json::from_slice(answer.body())?)
    }

    pub(super) async fn stop(self) -> io::Result<()> {
        self.process.stop().await.map(drop)
    }
}
