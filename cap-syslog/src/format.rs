//! One event as one RFC 5424 record.

mod cef;
mod escape;
mod rfc5424;

use cap_names::{ClosedEnum as _, Severity};

use crate::config::{Facility, Format};
use crate::cut::{CUT_MARK, character_boundary, cut_escaped};
use crate::event::{Event, EventRef, OPTIONAL_FIELDS};
use crate::timestamp;

/// Bytes kept for the text when parameters are left out.
const TEXT_RESERVE: usize = 256;
/// Replaced in a HOSTNAME, although RFC 5424 allows them, because syslog-ng rejects a record with
/// either.
const NO_HOSTNAME: &str = ":[";
/// More optional fields than an event can have.
const ALL: usize = usize::MAX;

/// Writes records into a buffer that the caller reuses; made by
/// [`Config::formatter`](crate::Config::formatter). The header is rendered once, and nothing is
/// allocated except when the buffer grows.
#[derive(Clone, Debug)]
pub struct Formatter {
    format: Format,
    /// One for each severity.
    heads: [Head; 5],
    max: usize,
}

/// The parts that all records have in common.
pub(crate) struct Header<'a> {
    pub(crate) format: Format,
    pub(crate) facility: Facility,
    pub(crate) hostname: &'a str,
    pub(crate) app_name: &'a str,
    pub(crate) procid: &'a str,
    pub(crate) sd_id: &'a str,
    pub(crate) product_version: &'a str,
    /// Bytes of a record at most.
    pub(crate) max_size: usize,
}

/// Everything before the first value of the event.
#[derive(Clone, Debug)]
struct Head {
    bytes: Vec<u8>,
    /// The position of TIMESTAMP.
    time: usize,
}

impl Formatter {
    pub(crate) fn new(header: &Header<'_>) -> Self {
        let hostname = reduced(header.hostname, 255, NO_HOSTNAME);
        let app_name = reduced(header.app_name, 48, "");
        let procid = reduced(header.procid, 128, "");
        let data = match header.format {
            Format::Rfc5424 => rfc5424::head(header.sd_id),
            Format::Cef => cef::head(&reduced(header.product_version, 32, "|\\")),
        };
        let head = |severity: &Severity| {
            let pri = u32::from(header.facility.code()) * 8 + u32::from(severity.code());
            let mut bytes = format!("<{pri}>1 ").into_bytes();
            let time = bytes.len();
            bytes.extend_from_slice(timestamp::BLANK);
            bytes.extend(format!(" {hostname} {app_name} {procid} - {data}").bytes());
            Head { bytes, time }
        };
        Self {
            format: header.format,
            heads: std::array::from_fn(|index| head(&Severity::ALL[index])),
            max: header.max_size,
        }
    }

    /// Appends the record of an event, without a frame.
    pub fn write(&self, event: &Event, out: &mut Vec<u8>) {
        self.append(event.view(), out);
    }

    #[inline]
    pub(crate) fn append(&self, event: EventRef<'_>, out: &mut Vec<u8>) {
        let start = out.len();
        let head = &self.heads[event.severity().index()];
        out.extend_from_slice(&head.bytes);
        if let Some(time) = out[start + head.time..].first_chunk_mut() {
            timestamp::write(event.time(), time);
        }
        let fields = out.len();
        self.fields(event, ALL, out);
        let text = out.len();
        self.text(event, out);
        if out.len() - start > self.max {
            self.shorten(event, out, start, fields, text);
        }
    }

    /// Leaves out parameters, the last one first, until there is room for the text, then cuts the
    /// text. The mark at the end shows either.
    #[cold]
    fn shorten(
        &self,
        event: EventRef<'_>,
        out: &mut Vec<u8>,
        start: usize,
        fields: usize,
        text: usize,
    ) {
        let lead = self.text_lead();
        let reserve = (out.len() - text).clamp(lead.len() + CUT_MARK.len(), TEXT_RESERVE);
        let fits = |keep, out: &mut Vec<u8>| {
            out.truncate(fields);
            self.fields(event, keep, out);
            out.len() - start + reserve <= self.max
        };
        // Bisects between a number that fits and one that is too large.
        let (mut keep, mut too_many) = (0, OPTIONAL_FIELDS + event.params().count() + 1);
        while too_many - keep > 1 {
            let middle = keep.midpoint(too_many);
            if fits(middle, out) {
                keep = middle;
            } else {
                too_many = middle;
            }
        }
        fits(keep, out);

        let text = out.len();
        self.text(event, out);
        if out.len() == text {
            out.extend_from_slice(lead.as_bytes());
        }
        let room = start + self.max - CUT_MARK.len();
        if out.len() > room {
            match self.format {
                Format::Rfc5424 => out.truncate(character_boundary(out, room)),
                Format::Cef => cut_escaped(out, text, room),
            }
        }
        out.extend_from_slice(CUT_MARK.as_bytes());
    }

    #[inline]
    fn fields(&self, event: EventRef<'_>, keep: usize, out: &mut Vec<u8>) {
        match self.format {
            Format::Rfc5424 => rfc5424::fields(event, keep, out),
            Format::Cef => cef::fields(event, keep, out),
        }
    }

    /// Appends the text with what precedes it, or nothing if there is no text.
    #[inline]
    fn text(&self, event: EventRef<'_>, out: &mut Vec<u8>) {
        let [.., summary] = event.required();
        if summary.is_empty() {
            return;
        }
        match self.format {
            Format::Rfc5424 => rfc5424::text(summary, out),
            Format::Cef => cef::text(summary, out),
        }
    }

    fn text_lead(&self) -> &'static str {
        match self.format {
            Format::Rfc5424 => rfc5424::TEXT_LEAD,
            Format::Cef => cef::TEXT_LEAD,
        }
    }
}

/// The first `limit` characters, with `_` for each that is no PRINTUSASCII or in `others`; `-` for
/// none.
fn reduced(value: &str, limit: usize, others: &str) -> String {
    let allowed = |c: &char| c.is_ascii_graphic() && !others.contains(*c);
    let clean: String =
        value.chars().map(|c| if allowed(&c) { c } else { '_' }).take(limit).collect();
    if clean.is_empty() { "-".to_owned() } else { clean }
}

#[cfg(test)]
mod tests;
