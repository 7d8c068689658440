//! A real rsyslog as the relay, which writes what it parsed as JSON lines.

use super::Process;
use super::process::{accepts, poll};
use crate::loopback::free_addr;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tempfile::TempDir;

/// How long it may take to start.
const START: Duration = Duration::from_secs(20);

/// A record as rsyslog parsed it; what is missing from the record is `-`.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct RsyslogRecord {
    /// PRI as a number.
    pub pri: String,
    /// Facility by name.
    pub fac: String,
    /// Severity by name.
    pub sev: String,
    /// Time stamp.
    pub ts: String,
    /// HOSTNAME.
    pub host: String,
    /// APP-NAME.
    pub app: String,
    /// PROCID.
    pub procid: String,
    /// MSGID.
    pub msgid: String,
    /// Structured data as written.
    pub sd: String,
    /// MSG.
    pub msg: String,
    /// The record as received.
    pub raw: String,
}

/// An rsyslog with a temporary folder, running or stopped. Its output survives a restart.
#[derive(Debug)]
pub struct Rsyslog {
    program: PathBuf,
    process: Option<Process>,
    imptcp: SocketAddr,
    imtcp: SocketAddr,
    dir: TempDir,
}

impl Rsyslog {
    /// Starts `program` (from [`require("rsyslogd")`](super::require)).
    ///
    /// # Errors
    /// When it does not accept connections; the message has the end of its log.
    pub async fn start(program: &Path) -> io::Result<Self> {
        let mut rsyslog = Self {
            program: program.to_owned(),
            process: None,
            imptcp: free_addr()?,
            imtcp: free_addr()?,
            dir: tempfile::tempdir()?,
        };
        std::fs::write(rsyslog.dir.path().join("rsyslog.conf"), rsyslog.config())?;
        rsyslog.start_again().await?;
        Ok(rsyslog)
    }

    /// Where its input `imptcp` listens: TCP, either framing.
    pub fn addr(&self) -> SocketAddr {
        self.imptcp
    }

    /// Where its input `imtcp` listens: TCP, either framing, another implementation.
    pub fn imtcp_addr(&self) -> SocketAddr {
        self.imtcp
    }

    /// Starts it again on the same ports, after a [`stop`](Self::stop) or a [`kill`](Self::kill).
    ///
    /// # Errors
    /// When it does not accept connections; the message has the end of its log.
    pub async fn start_again(&mut self) -> io::Result<()> {
        // rsyslogd leaves the folder it was started in, so a relative pid file would be everybody's.
        let pid = self.dir.path().join("rsyslog.pid");
        let config = self.dir.path().join("rsyslog.conf");
        // A killed one leaves its file behind, and its number may belong to another process by now.
        let _ = std::fs::remove_file(&pid);
        let args = [
            "-n".as_ref(),
            "-i".as_ref(),
            pid.as_os_str(),
            "-f".as_ref(),
            config.as_os_str(),
        ];
        let mut process = Process::start(&self.program, &args, self.dir.path())?;
        let (imptcp, imtcp) = (self.imptcp, self.imtcp);
        let probe = async || accepts(imptcp).await && accepts(imtcp).await;
        process.ready(probe, START).await?;
        self.process = Some(process);
        Ok(())
    }

    /// Ends it with SIGTERM.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub async fn stop(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(process) => process.stop().await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Ends it with SIGKILL.
    ///
    /// # Errors
    /// When the kernel does not let us.
    pub async fn kill(&mut self) -> io::Result<()> {
        match self.process.take() {
            Some(process) => process.kill().await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// The process, while it runs: to pause it, or to read its log.
    pub fn process(&self) -> Option<&Process> {
        self.process.as_ref()
    }

    /// The records so far, those before a restart included.
    ///
    /// # Errors
    /// When a line of its output is no JSON object of a record: rsyslog copies invalid UTF-8 as it is.
    pub fn records(&self) -> io::Result<Vec<RsyslogRecord>> {
        let lines = whole_lines(&self.dir.path().join("records.json"))?;
        (lines.split(|byte| *byte == b'\n'))
            .filter(|line| !line.is_empty())
            .map(|line| {
                serde_json::from_slice(line).map_err(|error| {
                    io::Error::other(format!("{error} in {}", String::from_utf8_lossy(line)))
                })
            })
            .collect()
    }

    /// Waits until the records are as wanted; false after `timeout`, or when its output cannot be read.
    pub async fn wait_until(
        &self,
        wanted: impl Fn(&[RsyslogRecord]) -> bool,
        timeout: Duration,
    ) -> bool {
        poll(
            async || self.records().is_ok_and(|records| wanted(&records)),
            timeout,
        )
        .await
    }

    fn config(&self) -> String {
        let dir = self.dir.path().display();
        let properties: String = [
            ("pri", "pri"),
            ("fac", "syslogfacility-text"),
            ("sev", "syslogseverity-text"),
            ("ts", r#"timereported" dateFormat="rfc3339"#),
            ("host", "hostname"),
            ("app", "app-name"),
            ("procid", "procid"),
            ("msgid", "msgid"),
            ("sd", "structured-data"),
            ("msg", "msg"),
            ("raw", "rawmsg"),
        ]
        .map(|(outname, name)| {
            format!("  property(outname=\"{outname}\" name=\"{name}\" format=\"jsonf\")\n")
        })
        .concat();
        let (imptcp, imtcp) = (self.imptcp.port(), self.imtcp.port());
        format!(
            r#"global(workDirectory="{dir}" maxMessageSize="64k")
module(load="imptcp")
module(load="imtcp")
template(name="parsed" type="list" option.jsonf="on") {{
{properties}}}
ruleset(name="rx") {{ action(type="omfile" file="{dir}/records.json" template="parsed" flushOnTXEnd="on") }}
input(type="imptcp" address="127.0.0.1" port="{imptcp}" ruleset="rx" name="ptcp")
input(type="imtcp" address="127.0.0.1" port="{imtcp}" ruleset="rx" name="tcp")
"#
        )
    }
}

/// The lines of a file that another program is writing, without one it has not finished. No file is an empty one.
pub(super) fn whole_lines(file: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = match std::fs::read(file) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    let end = bytes.iter().rposition(|byte| *byte == b'\n');
    bytes.truncate(end.map_or(0, |end| end + 1));
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::peers::require;
    use tokio::io::AsyncWriteExt as _;

    #[expect(
        clippy::disallowed_methods,
        reason = "the test is the sender, on loopback"
    )]
    async fn send(to: SocketAddr, id: &str) {
        let record = format!(
            "<182>1 2026-04-21T14:23:45.123Z h a 1 - [cap@0 event_id=\"{id}\" x=\"q\\\"\"] text"
        );
        let frame = format!("{} {record}", record.len());
        let mut stream = tokio::net::TcpStream::connect(to)
            .await
            .expect("a connection");
        stream.write_all(frame.as_bytes()).await.expect("written");
    }

    #[tokio::test]
    async fn records_are_read_back_across_a_restart_on_the_same_port() {
        let Some(program) = require("rsyslogd") else {
            return;
        };
        let mut relay = Rsyslog::start(&program).await.expect("it starts");
        send(relay.addr(), "e1").await;
        assert!(relay.wait_until(|records| records.len() == 1, START).await);
        relay.stop().await.expect("it stops");
        relay.start_again().await.expect("it starts again");
        send(relay.imtcp_addr(), "e2").await;
        assert!(relay.wait_until(|records| records.len() == 2, START).await);
        let record = &relay.records().expect("records")[0];
        assert_eq!(
            (
                record.pri.as_str(),
                record.fac.as_str(),
                record.sev.as_str()
            ),
            ("182", "local6", "info")
        );
        assert_eq!(record.sd, r#"[cap@0 event_id="e1" x="q\""]"#);
        assert_eq!((record.host.as_str(), record.msg.as_str()), ("h", "text"));
        relay.kill().await.expect("it is killed");
    }
}
