//! Generated audit events through a real relay, field by field.
//!
//! The table lists what a relay may change, and why. Everything else is compared exactly.
//!
//! | relay | field | what it says instead | why |
//! |---|---|---|---|
//! | syslog-ng | HOSTNAME `-` | the address the record came from | it knows no record without a host |
//!
//! Relays are not asked three things, since none could answer: records above 8 KiB, times outside
//! 1970 to 2096, and whether there was an empty MSG.

use std::io;
use std::path::Path;
use std::time::Duration;

use cap_syslog::Framing;
use tokio::io::{AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

use super::cases;
use crate::Authority;
use crate::audit::{Case, Expected};
use crate::peers::{Relay, RelayInput, RelayRecord, RelaySoftware};
use crate::tls;

/// Datagrams sent before the relay's records are counted. So many fit into its socket's buffer.
const DATAGRAMS: usize = 40;
const FRAMES: usize = 1_000;
/// How long a relay may take for a batch.
const PATIENCE: Duration = Duration::from_secs(20);

/// The inputs of a relay and the framings that each reads.
pub fn inputs(software: RelaySoftware) -> Vec<(RelayInput, Framing)> {
    use Framing::{Newline, OctetCounting};
    use RelayInput::{Tls, Udp};
    let counted = (RelayInput::OctetCounting, OctetCounting);
    let lines = (RelayInput::Newline, Newline);
    // A datagram holds a record and no frame, whatever the framing says.
    let mut inputs = vec![(Udp, OctetCounting), counted, lines, (Tls, OctetCounting)];
    if software == RelaySoftware::Rsyslog {
        // Its inputs look at each frame's first byte.
        inputs.extend([
            (RelayInput::OctetCounting, Newline),
            (RelayInput::Newline, OctetCounting),
            (Tls, Newline),
        ]);
    }
    inputs
}

/// Sends `events` cases to one input of a relay and compares each of its records.
///
/// # Errors
/// When the relay does not run or take them, and at the first record that is not the one expected.
pub async fn relay(
    software: RelaySoftware,
    program: &Path,
    (input, framing): (RelayInput, Framing),
    seed: u64,
    events: usize,
) -> Result<(), String> {
    let text = |error: io::Error| error.to_string();
    let authority = Authority::new();
    let relay = Relay::start(software, program, &authority).await.map_err(text)?;
    let cases: Vec<Case> =
        cases(seed).take(events).map(|case| case.for_relay().framed_by(framing)).collect();
    let mut sender = Sender::connect(&relay, input, &authority).await.map_err(text)?;
    let mut sent = 0;
    let batch = if input == RelayInput::Udp { DATAGRAMS } else { FRAMES };
    for batch in cases.chunks(batch) {
        sender.send(batch).await.map_err(text)?;
        sent += batch.len();
        let all = |records: &[RelayRecord]| records.len() >= sent;
        if !relay.wait_until(all, PATIENCE).await {
            let came = relay.records().map_err(text)?.len();
            return Err(format!("{came} records of {sent} events"));
        }
    }
    let records = relay.records().map_err(text)?;
    for (number, (case, record)) in cases.iter().zip(&records).enumerate() {
        compare(software, &case.expected(), record)
            .map_err(|why| format!("event {number}: {why}\n{record:?}\n{case:?}"))?;
    }
    if records.len() == events {
        Ok(())
    } else {
        Err(format!("{} records of {events} events", records.len()))
    }
}

enum Sender {
    Datagrams(UdpSocket),
    Stream(Box<dyn AsyncWrite + Unpin + Send>),
}

impl Sender {
    #[expect(
        clippy::disallowed_methods,
        reason = "it is the sender, on loopback, to a program this process has started"
    )]
    async fn connect(relay: &Relay, input: RelayInput, authority: &Authority) -> io::Result<Self> {
        let to = relay.addr(input);
        if input == RelayInput::Udp {
            let socket = UdpSocket::bind("127.0.0.1:0").await?;
            socket.connect(to).await?;
            return Ok(Sender::Datagrams(socket));
        }
        let stream = TcpStream::connect(to).await?;
        Ok(Sender::Stream(match input {
            RelayInput::Tls => Box::new(tls::connect(stream, authority, None, &[]).await?),
            _ => Box::new(stream),
        }))
    }

    async fn send(&mut self, cases: &[Case]) -> io::Result<()> {
        match self {
            Sender::Datagrams(socket) => {
                for case in cases {
                    socket.send(&case.record()).await?;
                }
            }
            Sender::Stream(stream) => {
                let mut frames = Vec::new();
                cases.iter().for_each(|case| case.append_frame(&mut frames));
                stream.write_all(&frames).await?;
                stream.flush().await?;
            }
        }
        Ok(())
    }
}

fn compare(
    software: RelaySoftware,
    expected: &Expected,
    record: &RelayRecord,
) -> Result<(), String> {
    let nil = |field: &Option<String>| field.clone().unwrap_or_default();
    let said = |field: &str| {
        if field == "-" { String::new() } else { field.to_owned() }
    };
    let header = [&record.host, &record.app, &record.procid, &record.msgid].map(|f| said(f));
    let wanted = [
        expected.hostname.clone().unwrap_or_else(|| match software {
            RelaySoftware::Rsyslog => String::new(),
            RelaySoftware::SyslogNg => "127.0.0.1".to_owned(),
        }),
        nil(&expected.app_name),
        nil(&expected.procid),
        String::new(),
    ];
    let pri = (u32::from(expected.facility) * 8 + u32::from(expected.severity)).to_string();
    if header != wanted || record.pri != pri {
        return Err(format!("{} {header:?} are not {pri} {wanted:?}", record.pri));
    }
    let time = |text: &str| chrono::DateTime::parse_from_rfc3339(text).map_err(|e| e.to_string());
    if time(&record.ts)? != time(&expected.timestamp)? {
        return Err(format!("{} is not {}", record.ts, expected.timestamp));
    }
    let msg = record.msg.as_str();
    let elements = match said(&record.sd).as_str() {
        "" => Vec::new(),
        _ => record.elements().map_err(|error| error.to_string())?,
    };
    match (elements.as_slice(), &expected.sd_id) {
        ([], None) => expected.holds_cef(msg),
        ([element], Some(id)) if element.id == *id => expected.holds(&element.params, msg),
        _ => Err(format!("{elements:?} are not one element {:?}", expected.sd_id)),
    }
}
