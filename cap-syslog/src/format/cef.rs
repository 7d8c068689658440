//! The event in the Common Event Format, version 0, as the MSG: a header of seven fields between
//! bars, then `key=value` extensions.
//!
//! The keys are those of the format's dictionary, so that a SIEM needs no mapping. A field without
//! a key there is a labeled custom string (`cs1` to `cs6`). A parameter without one gets a key with
//! the prefix `cap_`.

use std::net::Ipv4Addr;

use cap_names::Severity;
use chrono::DateTime;

use super::escape::{self, Escapes};
use crate::cut::{CUT_MARK, cut_escaped};
use crate::event::{EventRef, OPTIONAL_FIELDS};

/// The most bytes of the Name. A longer summary is cut there and whole in `msg`.
const NAME_LIMIT: usize = 256;

/// The end of the head, up to the Device Event Class ID.
pub(super) fn head(product_version: &str) -> String {
    format!("- CEF:0|CloudNativeWorks|CertAutoPilot|{product_version}|")
}

pub(super) const TEXT_LEAD: &str = " msg=";

struct Header;

impl Escapes for Header {
    const QUOTED: [u8; 3] = *br"|\\";
}

struct Extension;

impl Escapes for Extension {
    const QUOTED: [u8; 3] = *br"=\\";

    /// CEF can express line ends, in extensions only.
    fn control(byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            other => Header::control(other, out),
        }
    }
}

/// Appends the fields after the head, with only the first `keep` of the optional extensions.
pub(super) fn fields(event: EventRef<'_>, keep: usize, out: &mut Vec<u8>) {
    let [id, event_type, actor, summary] = event.required();
    let [org, project, resource] = event.optional();
    escape::append::<Header>(event_type, out);
    out.push(b'|');
    // Without a summary, the event type is the name.
    name(if summary.is_empty() { event_type } else { summary }, out);
    out.push(b'|');
    out.extend_from_slice(severity(event.severity()).as_bytes());
    out.extend_from_slice(b"|rt=");
    decimal(event.time().timestamp_millis(), out);
    extension(b" externalId=", id, out);
    // The kind of an actor contains no colon.
    let colon = actor.iter().position(|byte| *byte == b':');
    let (kind, id) = colon.map_or((&b""[..], actor), |at| (&actor[..at], &actor[at + 1..]));
    extension(b" duser=", id, out);
    extension(b" cs4Label=ActorType cs4=", kind, out);
    if let (Some(org), true) = (org, keep > 0) {
        extension(b" cs5Label=Organization cs5=", org, out);
    }
    if let (Some(project), true) = (project, keep > 1) {
        extension(b" cs1Label=Project cs1=", project, out);
    }
    if let (Some(resource), true) = (resource, keep > 2) {
        extension(b" cs6Label=Resource cs6=", resource, out);
    }
    for (name, value) in event.params().take(keep.saturating_sub(OPTIONAL_FIELDS)) {
        parameter(name, value, out);
    }
}

fn name(summary: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    escape::append::<Header>(summary, out);
    if out.len() - start > NAME_LIMIT {
        cut_escaped(out, start, start + NAME_LIMIT - CUT_MARK.len());
        out.extend_from_slice(CUT_MARK.as_bytes());
    }
}

/// Appends a parameter: under the dictionary's key if its name has one and its value is of that
/// key's type.
fn parameter(name: &[u8], value: &[u8], out: &mut Vec<u8>) {
    fn read<T>(value: &[u8], read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
        std::str::from_utf8(value).ok().and_then(read)
    }
    let is_address = || read(value, |value| value.parse::<Ipv4Addr>().ok()).is_some();
    let is_port = || read(value, |value| value.parse::<u16>().ok()).is_some();
    let time = || read(value, |value| DateTime::parse_from_rfc3339(value).ok());
    match name {
        b"common_name" => extension(b" cs2Label=CN cs2=", value, out),
        b"issuer" => extension(b" cs3Label=Issuer cs3=", value, out),
        b"src" if is_address() => extension(b" src=", value, out),
        b"spt" if is_port() => extension(b" spt=", value, out),
        b"not_after" if let Some(time) = time() => {
            out.extend_from_slice(b" end=");
            decimal(time.timestamp_millis(), out);
        }
        _ => {
            out.extend_from_slice(b" cap_");
            out.extend_from_slice(name);
            extension(b"=", value, out);
        }
    }
}

#[inline(always)]
fn extension<const N: usize>(lead: &[u8; N], value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(lead);
    escape::append::<Extension>(value, out);
}

fn decimal(number: i64, out: &mut Vec<u8>) {
    if number < 0 {
        out.push(b'-');
    }
    let (mut digits, mut first) = ([0; 20], 20);
    let mut rest = number.unsigned_abs();
    loop {
        first -= 1;
        digits[first] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    out.extend_from_slice(&digits[first..]);
}

/// Appends the summary if the Name does not hold all of it.
pub(super) fn text(summary: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    escape::append::<Header>(summary, out);
    let long = out.len() - start > NAME_LIMIT;
    out.truncate(start);
    if long {
        out.extend_from_slice(TEXT_LEAD.as_bytes());
        escape::append::<Extension>(summary, out);
    }
}

/// The severity from 0 to 10: up to 3 is low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "10",
        Severity::Error => "8",
        Severity::Warn => "5",
        Severity::Info => "2",
        Severity::Debug => "0",
    }
}
