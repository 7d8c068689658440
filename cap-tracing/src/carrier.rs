//! A context as text, for the payload of a job.

use std::collections::BTreeMap;

use opentelemetry::Context;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use serde::{Deserialize, Serialize};

use crate::propagate::Propagator;

/// A context as text. Stored with a job, it lets the attempts join the trace of the request that
/// enqueued the job.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Carrier(BTreeMap<String, String>);

impl Carrier {
    pub(crate) fn of(context: &Context) -> Self {
        let mut carrier = Self::default();
        Propagator::default().inject_context(context, &mut carrier);
        carrier
    }

    pub(crate) fn context(&self) -> Context {
        if self.0.is_empty() {
            return Context::new();
        }
        Propagator::default().extract_with_context(&Context::new(), self)
    }
}

impl Injector for Carrier {
    fn set(&mut self, key: &str, value: String) {
        self.0.insert(key.to_owned(), value);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::propagate::{Audience, extract, inject};
    use http::HeaderMap;

    #[test]
    fn a_carrier_survives_a_job_payload() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
            ("tracestate", "a@b@c=1, ,rojo= 2"),
            ("baggage", "tenant=o1=2;p, k = %41"),
        ] {
            headers.insert(name, value.parse().expect("a value"));
        }
        let carrier = Carrier::of(&extract(&headers));
        let json = serde_json::to_string(&carrier).expect("JSON");
        let back: Carrier = serde_json::from_str(&json).expect("a carrier");
        let mut out = HeaderMap::new();
        inject(&back.context(), &mut out, Audience::Internal);
        headers.insert("baggage", "tenant=o1=2;p,k = %41".parse().expect("a value"));
        assert_eq!(out, headers);
    }
}
