//! A real rsyslog or syslog-ng as the relay. It writes each parsed record as a line of JSON.

use super::Process;
use super::daemon::{self, Daemon};
use crate::authority::{Authority, Identity, ServerCertificate};
use crate::loopback::free_addr;
use crate::rfc5424::{Element, ParseError};
use crate::server::{ANY_PORT, bind_to};
use std::ffi::OsString;
use std::fmt::Display;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::time::Duration;

const RECORDS: &str = "records.json";

/// Which program the relay is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelaySoftware {
    /// rsyslog; its tool is `rsyslogd`.
    Rsyslog,
    /// syslog-ng.
    SyslogNg,
}

impl RelaySoftware {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Rsyslog, Self::SyslogNg];

    /// The name of the program, for [`require!`](crate::require).
    pub fn tool(self) -> &'static str {
        match self {
            Self::Rsyslog => "rsyslogd",
            Self::SyslogNg => "syslog-ng",
        }
    }

    fn config(self) -> &'static str {
        match self {
            Self::Rsyslog => include_str!("relay/rsyslog.conf"),
            Self::SyslogNg => include_str!("relay/syslog-ng.conf"),
        }
    }

    /// Each leaves the folder it was started in, so every path is absolute.
    fn args(self, folder: &str) -> impl Iterator<Item = String> {
        let args = match self {
            // A pid file would outlive a kill. If another process has its number by then, rsyslog
            // does not start.
            Self::Rsyslog => "-n -i NONE -f {folder}/relay.conf",
            Self::SyslogNg => {
                "-F --no-caps -f {folder}/relay.conf -R {folder}/persist -c {folder}/control -p {folder}/pid"
            }
        };
        (args.split(' ')).map(move |arg| arg.replace("{folder}", folder))
    }
}

/// A listener of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelayInput {
    /// A record in each datagram: rsyslog `imudp`, syslog-ng `syslog(transport("udp"))`.
    Udp,
    /// Octet counting over TCP: rsyslog `imptcp` (also reads lines), syslog-ng
    /// `syslog(transport("tcp"))` (does not).
    OctetCounting,
    /// Lines over TCP: rsyslog `imtcp` (also counts octets), syslog-ng `network(transport("tcp"))`
    /// (does not).
    Newline,
    /// Octet counting over TLS.
    Tls,
    /// Octet counting over TLS, for clients with a certificate of the relay's authority.
    MutualTls,
}

impl RelayInput {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Udp, Self::OctetCounting, Self::Newline, Self::Tls, Self::MutualTls];
}

/// A record as the relay parsed it. A missing field is `-` from rsyslog and empty from syslog-ng.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct RelayRecord {
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
    /// Structured data: copied by rsyslog, serialized again by syslog-ng.
    pub sd: String,
    /// MSG.
    pub msg: String,
    /// The record as received.
    pub raw: String,
}

impl RelayRecord {
    /// The structured data, element by element.
    ///
    /// # Errors
    /// When what the relay wrote is not RFC 5424, section 6.3.
    pub fn elements(&self) -> Result<Vec<Element>, ParseError> {
        match self.sd.as_str() {
            "" => Ok(Vec::new()),
            sd => Element::parse_all(sd.as_bytes()),
        }
    }

    /// The `event_id` of the first element that has one.
    pub fn event_id(&self) -> Option<String> {
        let elements = self.elements().ok()?;
        let id = elements.iter().find_map(|element| element.param("event_id"));
        id.map(str::to_owned)
    }
}

/// A relay on loopback with every [`RelayInput`]. Its records survive a restart.
#[derive(Debug)]
pub struct Relay {
    daemon: Daemon,
    addrs: [SocketAddr; RelayInput::ALL.len()],
}

impl Relay {
    /// Starts `program` (from [`require!`](crate::require)) with the certificate
    /// [`ServerCertificate::Good`] of `authority`.
    ///
    /// # Errors
    /// When it does not accept connections; the message has the end of its log.
    pub async fn start(
        software: RelaySoftware,
        program: &Path,
        authority: &Authority,
    ) -> io::Result<Self> {
        let identity = authority.server(ServerCertificate::Good);
        Self::start_as(software, program, authority, &identity).await
    }

    /// Starts `program` with any certificate. Clients show one of `authority` where they have to.
    ///
    /// # Errors
    /// When it does not accept connections; the message has the end of its log.
    pub async fn start_as(
        software: RelaySoftware,
        program: &Path,
        authority: &Authority,
        identity: &Identity,
    ) -> io::Result<Self> {
        let tcp = free_addr;
        let udp = bind_to(ANY_PORT, |addr| UdpSocket::bind(addr)?.local_addr())?;
        let addrs = [udp, tcp()?, tcp()?, tcp()?, tcp()?];
        let dir = tempfile::tempdir()?;
        let folder = dir.path();
        std::fs::write(folder.join("ca.pem"), authority.ca_pem())?;
        std::fs::write(folder.join("server.pem"), &identity.chain_pem)?;
        std::fs::write(folder.join("server.key"), &identity.key_pem)?;
        let [udp_port, octets, newline, tls, mutual] = addrs.map(|addr| addr.port().to_string());
        let folder = folder.display().to_string();
        let mut config = software.config().to_owned();
        for (placeholder, value) in [
            ("{folder}", &folder),
            ("{udp}", &udp_port),
            ("{octets}", &octets),
            ("{newline}", &newline),
            ("{tls}", &tls),
            ("{mutual}", &mutual),
        ] {
            config = config.replace(placeholder, value);
        }
        std::fs::write(dir.path().join("relay.conf"), config)?;
        let mut daemon = Daemon {
            program: program.to_owned(),
            args: software.args(&folder).map(OsString::from).collect(),
            dir,
            tcp: addrs[1..].to_vec(),
            udp: vec![udp],
            process: None,
        };
        daemon.start().await?;
        Ok(Self { daemon, addrs })
    }

    /// Where an input listens.
    pub fn addr(&self, input: RelayInput) -> SocketAddr {
        self.addrs[input as usize]
    }

    /// The records so far, those before a restart included.
    ///
    /// # Errors
    /// When a line of its output is no JSON object of a record: rsyslog copies invalid UTF-8
    /// unchanged.
    pub fn records(&self) -> io::Result<Vec<RelayRecord>> {
        let lines = self.daemon.lines(RECORDS)?;
        let record = |line: &Vec<u8>| {
            let parsed = serde_json::from_slice(line);
            parsed
                .or_else(|error| serde_json::from_slice(after_a_kill(line)).map_err(|_| error))
                .map_err(|error| {
                    io::Error::other(format!("{error} in {}", String::from_utf8_lossy(line)))
                })
        };
        lines.iter().map(record).collect()
    }

    /// Waits until the records are as wanted.
    ///
    /// # Panics
    /// When they are not within `limit`. The message names `what` and has the relay's log.
    pub async fn until(
        &self,
        what: impl Display,
        limit: Duration,
        wanted: impl Fn(&[RelayRecord]) -> bool,
    ) {
        if !self.wait_until(wanted, limit).await {
            let log = self.process().map(Process::log);
            panic!("{what} did not come within {limit:?}: {:?}\n{log:?}", self.records());
        }
    }

    /// Waits until the records are as wanted; false after `timeout`.
    pub async fn wait_until(
        &self,
        wanted: impl Fn(&[RelayRecord]) -> bool,
        timeout: Duration,
    ) -> bool {
        daemon::wait_until(|| self.records(), wanted, timeout).await
    }
}

impl Deref for Relay {
    type Target = Daemon;

    fn deref(&self) -> &Daemon {
        &self.daemon
    }
}

impl DerefMut for Relay {
    fn deref_mut(&mut self) -> &mut Daemon {
        &mut self.daemon
    }
}

/// The part of a line that the restarted relay wrote, behind what the killed one left unfinished.
fn after_a_kill(line: &[u8]) -> &[u8] {
    // Within a value, the quotes would be escaped.
    const START: &[u8] = b"{\"pri\":";
    let start = line.windows(START.len()).rposition(|part| part == START);
    &line[start.unwrap_or(0)..]
}

#[cfg(test)]
mod tests {
    use super::super::daemon::START;
    use super::*;
    use crate::require;
    use crate::tls;
    use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
    use tokio::net::{TcpStream, UdpSocket};

    fn record(id: &str) -> String {
        format!(
            "<182>1 2026-04-21T14:23:45.123Z h a 1 - [cap@0 event_id=\"{id}\" x=\"q\\\"\"] text"
        )
    }

    /// Writes, and waits for what the other side makes of it: the end, or nothing for a while.
    async fn write(mut stream: impl AsyncRead + AsyncWrite + Unpin, bytes: &[u8]) {
        // The relay may end the connection before it has read anything.
        let _ = stream.write_all(bytes).await;
        let _ = stream.shutdown().await;
        let _ = tokio::time::timeout(START, stream.read_u8()).await;
    }

    #[expect(clippy::disallowed_methods, reason = "the test is the sender, on loopback")]
    async fn send(relay: &Relay, input: RelayInput, authority: &Authority, id: &str) {
        let to = relay.addr(input);
        let record = record(id);
        let counted = format!("{} {record}", record.len());
        let client = authority.client("sender");
        let connect = async || TcpStream::connect(to).await.expect("a connection");
        match input {
            RelayInput::Udp => {
                let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
                let sent = socket.send_to(record.as_bytes(), to).await;
                sent.expect("sent");
            }
            RelayInput::OctetCounting => write(connect().await, counted.as_bytes()).await,
            RelayInput::Newline => {
                write(connect().await, format!("{record}\n").as_bytes()).await;
            }
            RelayInput::Tls => {
                let stream = tls::connect(connect().await, authority, None, &[]).await;
                write(stream.expect("shaken hands"), counted.as_bytes()).await;
            }
            RelayInput::MutualTls => {
                let stream = tls::connect(connect().await, authority, Some(&client), &[]).await;
                write(stream.expect("shaken hands"), counted.as_bytes()).await;
            }
        }
    }

    async fn reads_every_input_across_restarts(software: RelaySoftware) {
        let program = require!(software.tool());
        let authority = Authority::new();
        let mut relay = Relay::start(software, &program, &authority).await.expect("it starts");
        for (sent, input) in RelayInput::ALL.into_iter().enumerate() {
            send(&relay, input, &authority, &format!("e{sent}")).await;
            let came = |records: &[RelayRecord]| records.len() == sent + 1;
            relay.until(format!("{input:?}"), START, came).await;
        }
        for (sent, record) in relay.records().expect("records").iter().enumerate() {
            let header =
                [&record.pri, &record.fac, &record.sev, &record.host, &record.app, &record.procid];
            assert_eq!(header, ["182", "local6", "info", "h", "a", "1"]);
            assert!(record.ts.starts_with("2026-04-21T14:23:45.123"));
            assert_eq!(record.event_id(), Some(format!("e{sent}")));
            let elements = record.elements().expect("structured data");
            assert_eq!(elements[0].param("x"), Some("q\""));
            assert_eq!(record.msg, "text");
            let raw = self::record(&format!("e{sent}"));
            assert_eq!(record.raw.trim_end(), raw);
        }

        relay.stop().await.expect("it stops");
        relay.start().await.expect("it starts again");
        send(&relay, RelayInput::Tls, &authority, "after the stop").await;
        let came = |ids: usize| move |records: &[RelayRecord]| records.len() == ids;
        relay.until("the record after the stop", START, came(6)).await;
        relay.kill().await.expect("it is killed");
        relay.start().await.expect("it starts again");
        send(&relay, RelayInput::Udp, &authority, "after the kill").await;
        relay.until("the record after the kill", START, came(7)).await;
    }

    #[tokio::test]
    async fn rsyslog_reads_every_input_across_restarts() {
        reads_every_input_across_restarts(RelaySoftware::Rsyslog).await;
    }

    #[tokio::test]
    async fn syslog_ng_reads_every_input_across_restarts() {
        reads_every_input_across_restarts(RelaySoftware::SyslogNg).await;
    }
}
