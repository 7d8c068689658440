//! `baggage`: what an application sends along with a request (W3C Baggage).

use std::borrow::Cow;

use opentelemetry::Context;
use opentelemetry::baggage::{Baggage, BaggageExt as _};
use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};

/// The members, and their bytes with commas, that must be passed on (3.3.2 Limits).
const MEMBERS: usize = 64;
const BYTES: usize = 8192;

/// The baggage as it came. Its decoded entries have lost the order, duplicates, and which
/// characters were encoded.
#[derive(Debug)]
struct Received(String);

/// Adds the baggage of all headers. A member that breaks a rule is dropped alone (4 Mutating
/// baggage).
pub(super) fn read<'a>(context: Context, headers: impl Iterator<Item = &'a [u8]>) -> Context {
    let mut wire = String::new();
    let mut count = 0;
    for header in headers {
        for member in header.split(|byte| *byte == b',') {
            let Some(member) = std::str::from_utf8(member).ok().and_then(Member::parse) else {
                continue;
            };
            let comma = usize::from(count > 0);
            // A member is dropped as a whole (3.3.2 Limits).
            if count == MEMBERS || wire.len() + comma + member.text.len() > BYTES {
                continue;
            }
            if comma > 0 {
                wire.push(',');
            }
            wire.push_str(member.text);
            count += 1;
        }
    }
    if count == 0 {
        return context;
    }
    let baggage = decoded(&wire);
    context.with_baggage(baggage).with_value(Received(wire))
}

/// The baggage to send: the members that came in, unless the application has changed an entry.
pub(super) fn written(context: &Context) -> Cow<'_, str> {
    let current = context.baggage();
    if current.is_empty() {
        return "".into();
    }
    match context.get::<Received>() {
        Some(Received(wire)) if equal(&decoded(wire), current) => wire.into(),
        _ => encoded(current).into(),
    }
}

/// One list member, without the blanks around it.
struct Member<'a> {
    text: &'a str,
    key: &'a str,
    value: &'a str,
    properties: &'a str,
}

impl<'a> Member<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim_matches(BLANK);
        let (pair, properties) = text.split_once(';').unwrap_or((text, ""));
        // Any further equals sign belongs to the value (3.3.1.3 value).
        let (key, value) = pair.split_once('=')?;
        let (key, value) = (key.trim_matches(BLANK), value.trim_matches(BLANK));
        let sound = is_token(key) && is_value(value) && are_properties(properties);
        // A member that ends with a semicolon has an empty property, which is invalid.
        let ends = !text.ends_with(';');
        (sound && ends).then_some(Member { text, key, value, properties })
    }
}

const BLANK: [char; 2] = [' ', '\t'];

fn decoded(wire: &str) -> Baggage {
    let mut baggage = Baggage::new();
    for member in wire.split(',').filter_map(Member::parse) {
        let value = percent_decoded(member.value);
        baggage.insert_with_metadata(member.key.to_owned(), value, member.properties);
    }
    baggage
}

fn equal(one: &Baggage, other: &Baggage) -> bool {
    one.len() == other.len()
        && one.iter().all(|(key, entry)| other.get_with_metadata(key) == Some(entry))
}

/// Sorted by key, so that equal baggage is equal text.
fn encoded(baggage: &Baggage) -> String {
    let mut entries: Vec<_> = baggage.iter().collect();
    entries.sort_by_key(|(key, _)| key.as_str());
    let mut text = String::new();
    for (key, (value, metadata)) in entries.into_iter().take(MEMBERS) {
        if !is_token(key.as_str()) {
            continue;
        }
        let mut member = [key.as_str(), "="].concat();
        member.extend(utf8_percent_encode(value.as_str(), ENCODED));
        let properties = metadata.as_str();
        if !properties.is_empty() && are_properties(properties) {
            member.extend([";", properties]);
        }
        let comma = if text.is_empty() { "" } else { "," };
        if text.len() + comma.len() + member.len() <= BYTES {
            text.extend([comma, &member]);
        }
    }
    text
}

/// `property = key OWS "=" OWS value / key OWS`, separated by semicolons; or nothing.
fn are_properties(text: &str) -> bool {
    let is_property = |property: &str| match property.split_once('=') {
        Some((key, value)) => {
            is_token(key.trim_matches(BLANK)) && is_value(value.trim_matches(BLANK))
        }
        None => is_token(property.trim_matches(BLANK)),
    };
    text.is_empty() || text.split(';').all(is_property)
}

/// `token` of RFC 7230, section 3.2.6.
fn is_token(text: &str) -> bool {
    let tchar = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(tchar)
}

fn is_value(text: &str) -> bool {
    text.bytes().all(is_octet)
}

/// `baggage-octet` (3.3.1).
fn is_octet(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\",;\\".contains(&byte)
}

/// Everything but `baggage-octet`, and the percent sign itself (3.3.1.3 value).
const ENCODED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'%').add(b',').add(b';').add(b'\\');

/// A byte sequence that is not UTF-8 becomes U+FFFD (3.3.1.3 value). A percent sign that encodes
/// nothing stays.
fn percent_decoded(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}
