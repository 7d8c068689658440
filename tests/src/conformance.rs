//! Generated audit events, through readers that know nothing of this project.

mod relays;

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use cap_syslog::Framing;

use crate::audit::Case;
pub use relays::{inputs, relay};

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

/// A record as go-syslog parsed it.
#[derive(Debug, serde::Deserialize)]
struct GoRecord {
    #[serde(default)]
    error: Option<String>,
    facility: Option<u8>,
    severity: Option<u8>,
    timestamp: String,
    hostname: Option<String>,
    app_name: Option<String>,
    procid: Option<String>,
    msgid: Option<String>,
    sd: Option<serde_json::Map<String, serde_json::Value>>,
    msg: Option<String>,
}

/// Sends `events` cases, in one framing and as one stream, through the strict parser `go-syslog` and through the parser of this
/// crate, and compares every field. Gives the bytes sent.
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
    let mut parser = Command::new(program)
        .arg(argument)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{}: {error}", program.display()))?;
    let stdin = parser.stdin.take().ok_or("it is piped")?;
    let stdout = parser.stdout.take().ok_or("it is piped")?;
    let framed = move || {
        cases(seed)
            .take(events)
            .map(move |case| case.framed_by(framing))
    };

    let sender = std::thread::spawn(move || -> std::io::Result<u64> {
        let mut stdin = std::io::BufWriter::new(stdin);
        let (mut frame, mut sent) = (Vec::new(), 0);
        for case in framed() {
            frame.clear();
            case.append_frame(&mut frame);
            sent += frame.len() as u64;
            stdin.write_all(&frame)?;
        }
        stdin.flush()?;
        Ok(sent)
    });
    let mut lines = BufReader::new(stdout).lines();
    let mut compared = Ok(());
    for (number, case) in framed().enumerate() {
        compared = (lines.next())
            .ok_or_else(|| "go-syslog found no record".to_owned())
            .and_then(|line| line.map_err(|error| error.to_string()))
            .and_then(|line| compare(&case, &line))
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

fn compare(case: &Case, line: &str) -> Result<(), String> {
    let read: GoRecord = serde_json::from_str(line).map_err(|error| format!("{error}: {line}"))?;
    if let Some(error) = read.error {
        return Err(format!("go-syslog: {error}"));
    }
    let expected = case.expected();
    let record = case.record();
    expected.check(&record)?;
    let header = (
        (read.facility, read.severity, read.timestamp.as_str()),
        (&read.hostname, &read.app_name, &read.procid, &read.msgid),
    );
    let wanted = (
        (
            Some(expected.facility),
            Some(expected.severity),
            expected.timestamp.as_str(),
        ),
        (
            &expected.hostname,
            &expected.app_name,
            &expected.procid,
            &None,
        ),
    );
    if header != wanted {
        return Err(format!("go-syslog: {header:?} are not {wanted:?}"));
    }
    let msg = read.msg.as_deref().unwrap_or_default();
    let Some(sd_id) = &expected.sd_id else {
        return match read.sd {
            None => expected.holds_cef(msg),
            Some(sd) => Err(format!("go-syslog: {sd:?} beside CEF")),
        };
    };
    let mut sd = read.sd.unwrap_or_default();
    let Some(serde_json::Value::Object(params)) = sd.remove(sd_id) else {
        return Err(format!("go-syslog: no element {sd_id}"));
    };
    if let Some((id, _)) = sd.iter().next() {
        return Err(format!("go-syslog: a second element {id}"));
    }
    // Its parameters have no order, so they are put into ours; one that is too many is left over.
    let mut params = params;
    let mut ordered = Vec::new();
    for field in &expected.fields {
        if let Some(serde_json::Value::String(value)) = params.remove(&field.name) {
            ordered.push((field.name.clone(), value));
        }
    }
    if let Some((name, _)) = params.iter().next() {
        return Err(format!("go-syslog: a parameter {name} that was not sent"));
    }
    (expected.holds(&ordered, msg)).map_err(|why| format!("go-syslog: {why}"))
}
