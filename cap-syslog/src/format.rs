//! One event as one RFC 5424 record.

use cap_names::{Closed as _, Severity};

use crate::config::Config;
use crate::event::Event;
use crate::timestamp;

/// What ends a text that was cut.
const CUT_MARK: &[u8] = b"...[cut]";
/// Room kept for the text when parameters have to go.
const TEXT_RESERVE: usize = 256;

/// Writes records into a buffer that the caller reuses. Pure: the header was rendered once, nothing is allocated but the
/// buffer's growth.
#[derive(Clone, Debug)]
pub struct Formatter {
    /// `<PRI>1 `, by severity.
    pri: [Vec<u8>; 5],
    /// From the space after TIMESTAMP to the SD-ID.
    header: Vec<u8>,
    max: usize,
}

impl Formatter {
    /// A formatter for these settings and this PROCID. Header fields are reduced to printable ASCII and the lengths of
    /// RFC 5424, section 6.2; an empty one becomes `-`.
    pub fn new(config: &Config, procid: &str) -> Self {
        let pri = |severity: &Severity| {
            let value = u32::from(config.facility.code()) * 8 + u32::from(severity.code());
            format!("<{value}>1 ").into_bytes()
        };
        let header = format!(
            " {} {} {} - [{}",
            header_field(&config.hostname, 255),
            header_field(&config.app_name, 48),
            header_field(procid, 128),
            config.sd_id,
        );
        Formatter {
            pri: std::array::from_fn(|index| pri(&Severity::ALL[index])),
            header: header.into_bytes(),
            max: config.max_message_size,
        }
    }

    /// Appends the record, without a frame.
    pub fn write(&self, event: &Event, out: &mut Vec<u8>) {
        let start = out.len();
        out.extend_from_slice(&self.pri[event.severity.index()]);
        timestamp::write(&event.time, out);
        out.extend_from_slice(&self.header);
        param(out, EVENT_ID, &event.id);
        param(out, EVENT_TYPE, &event.event_type);
        let optional = out.len();
        for (lead, value) in parameters(event) {
            param(out, lead, value);
        }
        out.push(b']');
        let text = text(event, out);
        if out.len() - start > self.max {
            self.shorten(event, out, start, optional, out.len() - text);
        }
    }

    /// Drops whole parameters, last first and never the actor, until the rest leaves room for the text; then cuts the text.
    #[cold]
    fn shorten(
        &self,
        event: &Event,
        out: &mut Vec<u8>,
        start: usize,
        optional: usize,
        text_len: usize,
    ) {
        out.truncate(optional);
        param(out, ACTOR, &event.actor);
        let needed = out.len() - start + "]".len() + text_len.min(TEXT_RESERVE);
        let mut room = self.max.saturating_sub(needed);
        out.truncate(optional);

        let mut full = false;
        for (lead, value) in parameters(event) {
            let before = out.len();
            param(out, lead, value);
            if lead == ACTOR {
                continue;
            }
            let len = out.len() - before;
            full |= len > room;
            if full {
                out.truncate(before);
            } else {
                room -= len;
            }
        }
        out.push(b']');
        text(event, out);

        let end = start + self.max;
        if out.len() > end {
            let mut at = end - CUT_MARK.len();
            while out[at] & 0xc0 == 0x80 {
                at -= 1;
            }
            out.truncate(at);
            out.extend_from_slice(CUT_MARK);
        }
    }
}

const EVENT_ID: &str = " event_id=\"";
const EVENT_TYPE: &str = " event_type=\"";
const ACTOR: &str = " actor=\"";

/// The parameters after event_type, in wire order: what leads up to the value, and the value.
fn parameters(event: &Event) -> impl Iterator<Item = (&str, &str)> {
    let own = [
        (" org_id=\"", event.org.as_deref()),
        (" project_id=\"", event.project.as_deref()),
        (ACTOR, Some(event.actor.as_str())),
        (" resource=\"", event.resource.as_deref()),
    ];
    own.into_iter()
        .filter_map(|(lead, value)| value.map(|value| (lead, value)))
        .chain(
            event
                .params
                .iter()
                .map(|(lead, value)| (lead.as_str(), value.as_str())),
        )
}

/// Appends ` name="value"`, of which `lead` is everything before the value.
fn param(out: &mut Vec<u8>, lead: &str, value: &str) {
    out.extend_from_slice(lead.as_bytes());
    escape(value.as_bytes(), &PARAM_VALUE, out);
    out.push(b'"');
}

/// Appends the MSG and says where it starts.
fn text(event: &Event, out: &mut Vec<u8>) -> usize {
    let start = out.len();
    if !event.summary.is_empty() {
        out.push(b' ');
        escape(event.summary.as_bytes(), &TEXT, out);
    }
    start
}

/// What becomes of a byte.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Byte {
    Plain,
    /// `\` goes before it (RFC 5424, section 6.3.3).
    Quoted,
    /// `#` and three octal digits stand for it.
    Octal,
}

const fn table(quoted: &[u8]) -> [Byte; 256] {
    let mut table = [Byte::Plain; 256];
    let mut c = 0;
    while c < 0x20 {
        table[c] = Byte::Octal;
        c += 1;
    }
    table[0x7f] = Byte::Octal;
    let mut i = 0;
    while i < quoted.len() {
        table[quoted[i] as usize] = Byte::Quoted;
        i += 1;
    }
    table
}

static TEXT: [Byte; 256] = table(b"");
static PARAM_VALUE: [Byte; 256] = table(br#""\]"#);

fn escape(mut value: &[u8], table: &[Byte; 256], out: &mut Vec<u8>) {
    if is_plain(value) {
        out.extend_from_slice(value);
        return;
    }
    while let Some(at) = value.iter().position(|b| table[*b as usize] != Byte::Plain) {
        out.extend_from_slice(&value[..at]);
        let byte = value[at];
        match table[byte as usize] {
            Byte::Quoted => out.extend_from_slice(&[b'\\', byte]),
            _ => out.extend_from_slice(&[
                b'#',
                b'0' + (byte >> 6),
                b'0' + (byte >> 3 & 7),
                b'0' + (byte & 7),
            ]),
        }
        value = &value[at + 1..];
    }
    out.extend_from_slice(value);
}

/// Whether neither table changes a byte. Without an early exit, so that it is done many bytes at a time.
fn is_plain(value: &[u8]) -> bool {
    let special = value.iter().fold(false, |special, b| {
        special | (*b < b' ') | (*b == 0x7f) | (*b == b'"') | (*b == b'\\') | (*b == b']')
    });
    !special
}

/// A header field of printable ASCII without spaces (PRINTUSASCII), or `-`.
fn header_field(value: &str, limit: usize) -> String {
    let clean: String = value
        .chars()
        .map(|c| if c.is_ascii_graphic() { c } else { '_' })
        .take(limit)
        .collect();
    if clean.is_empty() {
        "-".to_owned()
    } else {
        clean
    }
}

#[cfg(test)]
mod tests {
    use cap_names::Actor;
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::*;

    fn config(facility: &str) -> Config {
        let mut config = Config::new("127.0.0.1".parse().expect("a host"), 601);
        config.facility = facility.parse().expect("a facility");
        config.hostname = "cap-api-1".to_owned();
        config
    }

    fn written(config: &Config, event: &Event) -> String {
        let mut out = Vec::new();
        Formatter::new(config, "12345").write(event, &mut out);
        String::from_utf8(out).expect("UTF-8")
    }

    fn sample() -> Event {
        Event::new(
            "...",
            "cert.issued",
            Actor::user("alice@example.com"),
            "Certificate issued for api.example.com",
        )
        .org("...")
        .project("...")
        .resource("cert:...")
        .time(
            DateTime::parse_from_rfc3339("2026-04-21T14:23:45.123Z")
                .expect("a time")
                .to_utc(),
        )
    }

    #[test]
    fn the_documented_sample_is_reproduced_byte_for_byte_with_facility_21() {
        let documented = concat!(
            "<174>1 2026-04-21T14:23:45.123Z cap-api-1 certautopilot 12345 - ",
            r#"[cap@0 event_id="..." event_type="cert.issued" org_id="..." project_id="..." "#,
            r#"actor="user:alice@example.com" resource="cert:..."] Certificate issued for api.example.com"#,
        );
        assert_eq!(written(&config("21"), &sample()), documented);
        let by_default = written(&config("local6"), &sample());
        assert_eq!(by_default, documented.replace("<174>", "<182>"));
    }

    #[test]
    fn control_characters_are_visible_and_quotes_are_escaped() {
        let mut event = sample().param("note", "a\"b\\c]d\ne");
        event.summary = "two\nlines\0\u{7f}é".to_owned();
        let record = written(&config("local6"), &event);
        assert!(record.contains(r#" note="a\"b\\c\]d#012e"]"#), "{record}");
        assert!(record.ends_with("] two#012lines#000#177é"), "{record}");
    }

    #[test]
    fn a_record_that_is_too_long_loses_whole_parameters_and_then_the_end_of_its_text() {
        let mut config = config("local6");
        config.max_message_size = 2048;
        let mut event = sample()
            .resource("r".repeat(900))
            .param("first", "1".repeat(300))
            .param("second", "2".repeat(600))
            .param("third", "3");
        event.summary = "é".repeat(3000);
        let record = written(&config, &event);
        assert!(
            record.len() <= 2048 && record.len() > 2040,
            "{}",
            record.len()
        );
        assert!(
            record.contains(r#"actor="user:alice@example.com" resource="rrr"#),
            "{record}"
        );
        assert!(
            record.contains("first=") && !record.contains("second=") && !record.contains("third=")
        );
        assert!(record.ends_with("é...[cut]"), "{record}");

        event.resource = Some("r".repeat(5000));
        let record = written(&config, &event);
        assert!(
            record.contains(r#"actor="user:alice@example.com"]"#),
            "{record}"
        );
    }

    #[test]
    fn header_fields_are_reduced_to_printable_ascii() {
        let mut config = config("local6");
        config.hostname = "two words\n".to_owned();
        config.app_name = String::new();
        assert!(written(&config, &sample()).contains("Z two_words_ - 12345 - [cap@0 "));
    }

    /// Text in which what a record trips over is common: proptest's own strings have no control characters.
    fn hostile(longest: usize) -> impl Strategy<Value = String> {
        let special = prop::sample::select(vec![
            '\n', '\r', '"', '\\', ']', '\0', ' ', '=', '.', '\u{7f}', '\u{feff}', '😀',
        ]);
        prop::collection::vec(prop_oneof![special, any::<char>()], 0..longest)
            .prop_map(String::from_iter)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn one_event_is_one_line_within_the_limit(
            id in hostile(200), kind in hostile(200), actor in hostile(200),
            name in hostile(50), value in hostile(4000), summary in hostile(4000),
        ) {
            let event = Event::new(id, kind, Actor::user(actor), summary)
                .resource(value.clone())
                .param(&name, value);
            let record = written(&config("local6"), &event);
            prop_assert!(record.len() <= 8192);
            prop_assert!(!record.bytes().any(|b| b.is_ascii_control()));
            prop_assert!(record.contains(" actor=\""));
        }
    }
}
