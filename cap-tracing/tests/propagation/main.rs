//! The rules of W3C Trace Context level 2 and of W3C Baggage: one test each, named by its section.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod baggage;
mod traceparent;
mod tracestate;

use cap_tracing::{Audience, extract, inject};
use http::{HeaderMap, HeaderName, HeaderValue};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";
const VALID: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(
            HeaderName::try_from(*name).unwrap(),
            HeaderValue::from_bytes(value.as_bytes()).unwrap(),
        );
    }
    headers
}

/// The value sent under a name when these headers came in and nothing was recorded in between.
fn passed_on(pairs: &[(&str, &str)], name: &str) -> Option<String> {
    let mut out = HeaderMap::new();
    inject(&extract(&headers(pairs)), &mut out, Audience::Internal);
    assert!(out.get_all(name).iter().count() <= 1);
    out.get(name).map(|value| value.to_str().unwrap().to_owned())
}
