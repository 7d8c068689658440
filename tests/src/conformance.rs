//! Generated audit events, through readers that know nothing of this project.

mod relays;
mod siem;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use cap_syslog::Framing;

use crate::audit::Case;
use crate::rfc5424::Record;
pub use relays::{inputs, relay};
pub use siem::{Siem, siem, vector};

/// Cases from a seed: the same one gives the same cases, however many are asked for.
pub fn cases(seed: u64) -> impl Iterator<Item = Case> {
    let mut state = seed;
    // SplitMix64: small, and even in every byte.
    let mut random = move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    };
    std::iter::repeat_with(move || {
        let bytes: Vec<u8> = (0..64).flat_map(|_| random().to_le_bytes()).collect();
        Case::from_bytes(&bytes)
    })
}

/// A record as a parser read it. Empty fields are absent.
#[derive(Debug, PartialEq, Eq, serde::Deserialize)]
struct Read {
    #[serde(default)]
    error: Option<String>,
    facility: Option<u8>,
    severity: Option<u8>,
    timestamp: Option<String>,
    hostname: Option<String>,
    app_name: Option<String>,
    procid: Option<String>,
    #[serde(default)]
    msgid: Option<String>,
    sd: Option<BTreeMap<String, BTreeMap<String, String>>>,
    msg: Option<String>,
}

impl Read {
    /// Whether it is what the case has, but for what this parser is known to lose.
    fn check(mut self, case: &Case, lose: impl Fn(&mut Read)) -> Result<(), String> {
        let record = case.record();
        case.expected().check(&record)?;
        let sent = Record::parse(&record).map_err(|error| error.to_string())?;
        let elements = sent.structured_data.into_iter();
        let elements = elements.map(|element| (element.id, element.params.into_iter().collect()));
        let mut sent = Read {
            error: None,
            facility: Some(sent.facility),
            severity: Some(sent.severity),
            timestamp: sent.timestamp,
            hostname: sent.hostname,
            app_name: sent.app_name,
            procid: sent.procid,
            msgid: sent.msgid,
            sd: Some(elements.collect()),
            msg: sent.msg,
        };
        lose(&mut sent);
        for read in [&mut self, &mut sent] {
            read.sd = read.sd.take().filter(|sd| !sd.is_empty());
            read.msg = read.msg.take().filter(|msg| !msg.is_empty());
        }
        if self == sent {
            return Ok(());
        }
        Err(format!("{self:?} is not {sent:?}"))
    }
}

/// Sends `events` cases, in one framing and as one stream, through the strict parser `go-syslog`
/// and through the parser of this crate, and compares every field. Returns the bytes sent.
///
/// # Errors
/// At the first record that is not the one expected, with its case.
pub fn go_syslog(
    program: &Path,
    framing: Framing,
    seed: u64,
    events: usize,
) -> Result<u64, String> {
    let argument = match framing {
        Framing::OctetCounting => "octet-counting",
        _ => "newline",
    };
    let mut parser = Command::new(program);
    parser.arg(argument);
    let framed = move || cases(seed).take(events).map(move |case| case.framed_by(framing));
    stream(parser, framed, |_| {}).map_err(|why| format!("go-syslog: {why}"))
}

/// Sends cases as one stream to a parser that prints a [`Read`] for each, as a line of JSON, and
/// that is known to lose something. Returns the bytes sent.
fn stream<I: Iterator<Item = Case>>(
    mut parser: Command,
    cases: impl Fn() -> I + Send + Sync + 'static,
    lose: impl Fn(&mut Read),
) -> Result<u64, String> {
    let mut parser = parser
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", parser.get_program().display()))?;
    let stdin = parser.stdin.take().ok_or("it is piped")?;
    let stdout = parser.stdout.take().ok_or("it is piped")?;
    let cases = Arc::new(cases);
    let sent = Arc::clone(&cases);
    let sender = std::thread::spawn(move || -> std::io::Result<u64> {
        let mut stdin = std::io::BufWriter::new(stdin);
        let (mut frame, mut bytes) = (Vec::new(), 0);
        for case in sent() {
            frame.clear();
            case.append_frame(&mut frame);
            bytes += frame.len() as u64;
            stdin.write_all(&frame)?;
        }
        stdin.flush()?;
        Ok(bytes)
    });
    let mut lines = BufReader::new(stdout).lines();
    let mut compared = Ok(());
    for (number, case) in cases().enumerate() {
        compared = (lines.next())
            .ok_or_else(|| "it found no record".to_owned())
            .and_then(|line| line.map_err(|error| error.to_string()))
            .and_then(|line| {
                serde_json::from_str(&line).map_err(|error| format!("{error}: {line}"))
            })
            .and_then(|read: Read| read.check(&case, &lose))
            .map_err(|why| format!("event {number}: {why}\n{case:?}"));
        if compared.is_err() {
            // It stops at the first record it does not take, and then the sender's pipe breaks.
            break;
        }
    }
    let more = lines.next();
    // The sender must not wait for a reader that is not there any more.
    drop(lines);
    let sent = sender.join().map_err(|_| "the sender panicked")?;
    parser.wait().map_err(|error| error.to_string())?;
    compared?;
    match more {
        Some(line) => Err(format!("one record too many: {line:?}")),
        None => sent.map_err(|error| error.to_string()),
    }
}
