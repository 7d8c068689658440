//! The event in the Common Event Format, version 0, as the MSG: a header of seven fields between bars, then `key=value`
//! extensions.
//!
//! The keys are those of the format's own dictionary, so that a SIEM needs no mapping; what has no key there is a labelled
//! custom string (`cs1` to `cs4`), and a further parameter has a key of its own, with the prefix `cap_`.

use cap_names::Severity;

use super::escape::{self, Escapes};
use crate::event::Event;

/// What ends the head: everything before the Device Event Class ID.
pub(super) fn head(app_name: &str) -> String {
    let mut product = Vec::new();
    escape::append::<Header>(app_name, &mut product);
    // Device Version is that of this layout: a SIEM's rules go by it, and they outlive many versions of the product.
    format!(
        "- CEF:0|CertAutoPilot|{}|1|",
        String::from_utf8_lossy(&product)
    )
}

pub(super) const TEXT_LEAD: &str = " msg=";

struct Header;

impl Escapes for Header {
    const QUOTED: [u8; 3] = *br"|\\";
}

struct Extension;

impl Escapes for Extension {
    const QUOTED: [u8; 3] = *br"=\\";

    /// The format has a way to write a line's end, in extensions only.
    fn control(byte: u8, out: &mut Vec<u8>) {
        match byte {
            b'\n' => out.extend_from_slice(br"\n"),
            b'\r' => out.extend_from_slice(br"\r"),
            other => Header::control(other, out),
        }
    }
}

/// Appends what follows the head, up to the text, with only the first `keep` of the extensions that may be left out.
pub(super) fn fields(event: &Event, keep: usize, out: &mut Vec<u8>) {
    // The Name should be the same for every event of a class, so it is the class once more; the summary is `msg`.
    for _ in 0..2 {
        escape::append::<Header>(&event.event_type, out);
        out.push(b'|');
    }
    out.extend_from_slice(severity(event.severity).as_bytes());
    out.extend_from_slice(b"|rt=");
    decimal(event.time.timestamp_millis(), out);
    extension(b" externalId=", &event.id, out);
    // The kind of an actor holds no colon.
    let (kind, id) = event.actor.split_once(':').unwrap_or(("", &event.actor));
    extension(b" suser=", id, out);
    extension(b" cs1Label=actor_type cs1=", kind, out);
    if let (Some(org), true) = (&event.org, keep > 0) {
        extension(b" cs2Label=org_id cs2=", org, out);
    }
    if let (Some(project), true) = (&event.project, keep > 1) {
        extension(b" cs3Label=project_id cs3=", project, out);
    }
    if let (Some(resource), true) = (&event.resource, keep > 2) {
        extension(b" cs4Label=resource cs4=", resource, out);
    }
    for (name, value) in (event.params.iter()).take(keep.saturating_sub(Event::OWN_OPTIONAL)) {
        out.extend_from_slice(b" cap_");
        out.extend_from_slice(name.as_bytes());
        extension(b"=", value, out);
    }
}

#[inline(always)]
fn extension<const N: usize>(lead: &[u8; N], value: &str, out: &mut Vec<u8>) {
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

pub(super) fn text(summary: &str, out: &mut Vec<u8>) {
    escape::append::<Extension>(summary, out);
}

/// Of 0 to 10: up to 3 is low, 4 to 6 medium, 7 and 8 high, 9 and 10 very high.
fn severity(severity: Severity) -> &'static str {
    match severity {
        Severity::Critical => "10",
        Severity::Error => "8",
        Severity::Warn => "5",
        Severity::Info => "2",
        Severity::Debug => "0",
    }
}
