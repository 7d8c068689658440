//! `traceparent`: the trace, the parent and the decision (W3C Trace Context level 2, 3.2).

use opentelemetry::trace::{SpanContext, SpanId, TraceFlags, TraceId};

/// `00-` trace-id `-` parent-id `-` trace-flags.
const LENGTH: usize = 55;
const SAMPLED: u8 = 0x01;
const RANDOM: u8 = 0x02;

/// The fields of a valid value.
pub(super) fn parse(value: &[u8]) -> Option<(TraceId, SpanId, TraceFlags)> {
    let value = value.trim_ascii();
    let (head, more) = value.split_at_checked(LENGTH)?;
    if [head[2], head[35], head[52]] != *b"---" {
        return None;
    }
    let [version] = hex(&head[..2])?;
    // Only a later version may have more fields (3.2.4 Versioning of traceparent).
    match version {
        0xff => return None,
        0 if !more.is_empty() => return None,
        _ if !matches!(more, [] | [b'-', ..]) => return None,
        _ => {}
    }
    let trace_id = TraceId::from_bytes(hex(&head[3..35])?);
    let span_id = SpanId::from_bytes(hex(&head[36..52])?);
    let [flags] = hex(&head[53..])?;
    // A later version defines only the sampled flag for us. In this version, undefined flags are
    // not passed on (3.2.2.5.3 Other Flags).
    let understood = if version == 0 { SAMPLED | RANDOM } else { SAMPLED };
    let valid = trace_id != TraceId::INVALID && span_id != SpanId::INVALID;
    valid.then_some((trace_id, span_id, TraceFlags::new(flags & understood)))
}

/// A value as text, made without an allocation.
pub(super) struct Formatted([u8; LENGTH]);

impl Formatted {
    pub(super) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

pub(super) fn format(ids: &SpanContext) -> Formatted {
    let mut text = *b"00-00000000000000000000000000000000-0000000000000000-00";
    write_hex(&mut text[3..35], &ids.trace_id().to_bytes());
    write_hex(&mut text[36..52], &ids.span_id().to_bytes());
    let flags = ids.trace_flags().to_u8() & (SAMPLED | RANDOM);
    write_hex(&mut text[53..], &[flags]);
    Formatted(text)
}

/// Reads lower-case digits only (HEXDIGLC).
fn hex<const N: usize>(digits: &[u8]) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(bytes)
}

pub(crate) fn write_hex(into: &mut [u8], bytes: &[u8]) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    for (pair, byte) in into.chunks_exact_mut(2).zip(bytes) {
        pair[0] = DIGITS[usize::from(byte >> 4)];
        pair[1] = DIGITS[usize::from(byte & 15)];
    }
}
