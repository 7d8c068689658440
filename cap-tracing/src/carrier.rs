//! W3C Trace Context and Baggage, in headers and in job payloads.

use std::collections::BTreeMap;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator};
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use serde::{Deserialize, Serialize};

/// Who receives a context.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Our own services: trace context and baggage.
    Internal,
    /// Somebody else's API (ACME, DNS, MSCA): trace context alone.
    ThirdParty,
}

/// A context as text, to be stored with a job so that its execution joins the trace of the request that enqueued it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Carrier(BTreeMap<String, String>);

impl Carrier {
    pub(crate) fn of(context: &Context) -> Self {
        let mut carrier = Carrier::default();
        inject(context, &mut carrier, Audience::Internal);
        carrier
    }

    pub(crate) fn context(&self) -> Context {
        if self.0.is_empty() {
            return Context::new();
        }
        extract(self)
    }
}

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        if !value.is_empty() {
            self.0.insert(key.to_owned(), value);
        }
    }
}

impl Extractor for Carrier {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(HeaderName::as_str).collect()
    }
}

struct HeadersMut<'a>(&'a mut HeaderMap);

impl Injector for HeadersMut<'_> {
    fn set(&mut self, key: &str, value: String) {
        // The propagators write only lower-case names and visible ASCII.
        if !value.is_empty()
            && let (Ok(name), Ok(value)) = (HeaderName::try_from(key), HeaderValue::try_from(value))
        {
            self.0.insert(name, value);
        }
    }
}

fn extract(from: &dyn Extractor) -> Context {
    let context = TraceContextPropagator::new().extract_with_context(&Context::new(), from);
    BaggagePropagator::new().extract_with_context(&context, from)
}

fn inject(context: &Context, into: &mut dyn Injector, audience: Audience) {
    TraceContextPropagator::new().inject_context(context, into);
    if audience == Audience::Internal {
        BaggagePropagator::new().inject_context(context, into);
    }
}

pub(crate) fn from_headers(headers: &HeaderMap) -> Context {
    extract(&Headers(headers))
}

pub(crate) fn into_headers(context: &Context, headers: &mut HeaderMap, audience: Audience) {
    inject(context, &mut HeadersMut(headers), audience);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers() -> HeaderMap {
        HeaderMap::from_iter([
            (
                HeaderName::from_static("traceparent"),
                HeaderValue::from_static("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ),
            (
                HeaderName::from_static("baggage"),
                HeaderValue::from_static("tenant=o1"),
            ),
        ])
    }

    #[test]
    fn a_context_goes_out_as_it_came_in() {
        let mut out = HeaderMap::new();
        into_headers(&from_headers(&headers()), &mut out, Audience::Internal);
        assert_eq!(out, headers());
    }

    #[test]
    fn baggage_is_not_sent_to_third_parties() {
        let mut out = HeaderMap::new();
        into_headers(&from_headers(&headers()), &mut out, Audience::ThirdParty);
        assert!(out.contains_key("traceparent"));
        assert!(!out.contains_key("baggage"));
    }

    #[test]
    fn a_carrier_survives_a_job_payload() {
        let carrier = Carrier::of(&from_headers(&headers()));
        let json = serde_json::to_string(&carrier).expect("JSON");
        let back: Carrier = serde_json::from_str(&json).expect("a carrier");
        let mut out = HeaderMap::new();
        into_headers(&back.context(), &mut out, Audience::Internal);
        assert_eq!(out, headers());
    }
}
