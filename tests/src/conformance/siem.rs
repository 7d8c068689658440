//! The parsers of SIEMs, as far as they can be had.

use std::path::Path;
use std::process::Command;

use cap_syslog::Framing;
use chrono::{SecondsFormat, Utc};
use syslog_loose::{Protocol, Variant};

use super::{Read, cases, stream};
use crate::audit::Case;

/// One whose parser runs in the tool `siem-parsers`, a JRuby with what each needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Siem {
    /// `deploy/logstash/certautopilot.rb`, in what Logstash runs it in.
    Logstash,
    /// The library behind its syslog inputs.
    Graylog,
}

impl Siem {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Logstash, Self::Graylog];

    fn parser(self, program: &Path) -> Command {
        let mut parser = Command::new(program);
        parser.arg("-e");
        match self {
            Siem::Logstash => parser.args([
                include_str!("logstash.rb"),
                include_str!("../../../deploy/logstash/certautopilot.rb"),
            ]),
            Siem::Graylog => parser.arg(include_str!("graylog.rb")),
        };
        parser
    }
}

/// Sends `events` cases, a line each, through a SIEM's parser and compares every field. Returns the
/// bytes sent.
///
/// # Errors
/// At the first record that is not the one expected, with its case.
pub fn siem(program: &Path, siem: Siem, seed: u64, events: usize) -> Result<u64, String> {
    let parser = siem.parser(program);
    let lines = move || cases(seed).take(events).map(|case| case.framed_by(Framing::Newline));
    match siem {
        Siem::Logstash => stream(parser, lines, |_| {}),
        Siem::Graylog => stream(parser, move || lines().map(Case::for_relay), graylog_loses),
    }
    .map_err(|why| format!("{siem:?}: {why}"))
}

/// The parser takes every backslash of a value for an escape, and a missing HOSTNAME is a dash.
fn graylog_loses(read: &mut Read) {
    read.hostname.get_or_insert_with(|| "-".to_owned());
    let elements = read.sd.iter_mut().flatten();
    for value in elements.flat_map(|(_, params)| params.values_mut()) {
        value.retain(|c| c != '\\');
    }
}

/// Sends `events` cases through the parser of Vector and compares every field. Vector reads no
/// record whose APP-NAME is a single colon; such cases are left out.
///
/// # Errors
/// At the first record that is not the one expected, with its case.
pub fn vector(seed: u64, events: usize) -> Result<(), String> {
    for (number, case) in cases(seed).take(events).enumerate() {
        let case = case.for_relay();
        let expected = case.expected();
        if [expected.app_name, expected.procid].contains(&Some(":".to_owned())) {
            continue;
        }
        as_vector_reads(&case)
            .and_then(|read| read.check(&case, vector_loses))
            .map_err(|why| format!("Vector: event {number}: {why}\n{case:?}"))?;
    }
    Ok(())
}

/// The blanks that a summary begins and ends with.
fn vector_loses(read: &mut Read) {
    let inner = |msg: String| msg.trim_start_matches([' ', '\t']).trim_end().to_owned();
    read.msg = read.msg.take().map(inner);
}

fn as_vector_reads(case: &Case) -> Result<Read, String> {
    let record = String::from_utf8(case.record()).map_err(|error| error.to_string())?;
    let read = syslog_loose::parse_message(record.as_str(), Variant::RFC5424);
    if read.protocol != Protocol::RFC5424(1) {
        return Err(format!("{:?}", read.protocol));
    }
    let elements = read.structured_data.iter().map(|element| {
        let params = element.params();
        let params = params.map(|(name, value)| ((*name).to_owned(), value));
        (element.id.to_owned(), params.collect())
    });
    let time = read.timestamp.map(|time| time.with_timezone(&Utc));
    Ok(Read {
        error: None,
        facility: read.facility.map(|facility| facility as u8),
        severity: read.severity.map(|severity| severity as u8),
        timestamp: time.map(|time| time.to_rfc3339_opts(SecondsFormat::Millis, true)),
        hostname: read.hostname.map(str::to_owned),
        app_name: read.appname.map(str::to_owned),
        procid: read.procid.map(|procid| procid.to_string()),
        msgid: read.msgid.map(str::to_owned),
        sd: Some(elements.collect()),
        msg: Some(read.msg.to_owned()),
    })
}
