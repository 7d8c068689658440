//! `tracestate`: what other tracing systems send along (W3C Trace Context level 2, 3.3).

use opentelemetry::trace::{SpanContext, SpanId, TraceId, TraceState};

/// The most list members (3.3.2).
const MEMBERS: usize = 32;
/// The most bytes of a key or a value (3.3.2.2.1 Key, 3.3.2.2.2 Value).
const LONGEST: usize = 256;
/// The bytes of the combined header that must be passed on (3.3.3.1 tracestate Limits).
const COMBINED: usize = 512;
/// A member of more bytes is dropped first, if one has to be (3.3.3.1).
const SHORT: usize = 128;

/// A valid list, in its order.
pub(super) struct List {
    members: Vec<(String, String)>,
    /// The text as it came, with several headers joined.
    raw: String,
}

/// Reads the members of all headers. `None` if there are none, or if one breaks a rule: then
/// nothing is passed on.
pub(super) fn parse<'a>(headers: impl Iterator<Item = &'a [u8]>) -> Option<List> {
    let mut list = List { members: Vec::new(), raw: String::new() };
    for header in headers {
        let header = std::str::from_utf8(header).ok()?;
        for member in header.split(',') {
            // A value has no trailing blanks, and a key no leading ones.
            let member = member.trim_matches([' ', '\t']);
            if member.is_empty() {
                continue;
            }
            let (key, value) = member.split_once('=')?;
            if !is_key(key) || !is_value(value) {
                return None;
            }
            // Of two members with one key, the first is the most recent (3.3.3 Combined Header
            // Value).
            if list.members.iter().all(|(known, _)| known != key) {
                list.members.push((key.to_owned(), value.to_owned()));
            }
        }
        if !list.raw.is_empty() {
            list.raw.push(',');
        }
        list.raw.push_str(header);
    }
    let some = (1..=MEMBERS).contains(&list.members.len());
    some.then(|| {
        shorten(&mut list.members);
        list
    })
}

fn is_key(key: &str) -> bool {
    let lower = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let bytes = key.as_bytes();
    let rest = |byte: &u8| lower(*byte) || b"_-*/@".contains(byte);
    bytes.first().is_some_and(|first| lower(*first))
        && bytes.iter().all(rest)
        && bytes.len() <= LONGEST
}

fn is_value(value: &str) -> bool {
    let printable = |byte: &u8| (b' '..=b'~').contains(byte) && *byte != b'=';
    (1..=LONGEST).contains(&value.len()) && value.as_bytes().iter().all(printable)
}

/// Drops whole members until the rest fits: long ones first, then from the end.
fn shorten(members: &mut Vec<(String, String)>) {
    let size = |(key, value): &(String, String)| key.len() + 1 + value.len();
    let combined =
        |members: &[_]| members.iter().map(size).sum::<usize>() + members.len().max(1) - 1;
    while combined(members) > COMBINED {
        let long = members.iter().rposition(|member| size(member) > SHORT);
        members.remove(long.unwrap_or(members.len() - 1));
    }
}

impl List {
    /// The state for a span context, and what a span context cannot hold.
    pub(super) fn for_context(
        self,
        trace_id: TraceId,
        span_id: SpanId,
    ) -> (TraceState, Option<Received>) {
        let members: Vec<_> =
            self.members.iter().map(|(key, value)| [key.as_str(), "=", value].concat()).collect();
        let normal = members.join(",");
        // OpenTelemetry's type accepts the keys of level 1 alone.
        let state = TraceState::from_key_value(self.members).unwrap_or_default();
        let whole = self.raw == normal && state != TraceState::NONE;
        let received = Received { trace_id, span_id, raw: self.raw, normal };
        (state, (!whole).then_some(received))
    }
}

/// A tracestate that a span context cannot hold as it came.
#[derive(Debug)]
pub(super) struct Received {
    trace_id: TraceId,
    span_id: SpanId,
    raw: String,
    normal: String,
}

impl Received {
    /// The state to send for this span. With an unchanged traceparent, tracestate stays unchanged
    /// (3.4 Mutating the traceparent Field). For another trace it says nothing.
    pub(super) fn for_span(&self, ids: &SpanContext, kept: &str) -> Option<&str> {
        match ids.trace_id() == self.trace_id {
            false => None,
            true if ids.span_id() == self.span_id => Some(&self.raw),
            true if kept.is_empty() => Some(&self.normal),
            true => None,
        }
    }
}
