//! Any headers: the outgoing context is valid, reads back as itself, and holds nothing that did not
//! come in.

#![no_main]

use cap_tracing::{Audience, extract, inject};
use http::{HeaderMap, HeaderName, HeaderValue};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    // A line is a header, and its first byte says which.
    let mut headers = HeaderMap::new();
    for line in data.split(|byte| *byte == b'\n') {
        let Some((first, value)) = line.split_first() else {
            continue;
        };
        let name = match first % 3 {
            0 => "traceparent",
            1 => "tracestate",
            _ => "baggage",
        };
        if let Ok(value) = HeaderValue::from_bytes(value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let once = passed_on(&headers);
    assert_eq!(passed_on(&once), once, "what goes out is what came in");

    let text = |name: &str| once.get(name).map(|value| value.to_str().expect("ASCII"));
    if let Some(parent) = text("traceparent") {
        assert_eq!(parent.len(), 55);
        assert!(parent.starts_with("00-"));
        let hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c) || c == '-';
        assert!(parent.chars().all(hex), "{parent}");
        assert!(headers.get_all("traceparent").iter().count() == 1);
    } else {
        assert!(text("tracestate").is_none(), "a state without a parent");
    }
    if let Some(state) = text("tracestate") {
        assert!(state.split(',').filter(|member| !member.trim().is_empty()).count() >= 1);
    }
    if let Some(baggage) = text("baggage") {
        assert!(baggage.len() <= 8192 && baggage.split(',').count() <= 64);
        assert!(baggage.split(',').all(|member| member.contains('=')));
    }
});

fn passed_on(headers: &HeaderMap) -> HeaderMap {
    let mut out = HeaderMap::new();
    inject(&extract(headers), &mut out, Audience::Internal);
    out
}
