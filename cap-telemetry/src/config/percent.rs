//! Percent-encoding, as OpenTelemetry's variables use it: their values are those of W3C Baggage.

use percent_encoding::percent_decode_str;

/// The decoded text; `None` where it is not UTF-8, or a `%` has no two hexadecimal digits behind
/// it.
pub(super) fn decoded(text: &str) -> Option<String> {
    // The crate passes a broken escape on as text; in a header that would be a wrong secret.
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    if !text.split('%').skip(1).all(is_escape) {
        return None;
    }
    let decoded = percent_decode_str(text).decode_utf8();
    decoded.ok().map(String::from)
}
