//! What is known of a sampled span, from its start until it is encoded.

use std::borrow::Cow;
use std::time::SystemTime;

use cap_names::{ErrorClass, attributes};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, SpanContext, SpanId, SpanKind, Status};

/// The status of an answer that is an error.
pub(crate) const ERROR_TYPE: &str = "error.type";

/// A sampled span.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) context: SpanContext,
    pub(crate) parent: SpanId,
    pub(crate) parent_is_remote: bool,
    pub(crate) kind: SpanKind,
    pub(crate) name: Cow<'static, str>,
    pub(crate) start: SystemTime,
    pub(crate) end: SystemTime,
    pub(crate) attributes: Vec<KeyValue>,
    pub(crate) events: Vec<Event>,
    pub(crate) links: Vec<Link>,
    pub(crate) dropped: Dropped,
    pub(crate) status: Status,
}

/// How many attributes, events and links exceeded the span's limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
}

impl Record {
    /// Gives a server span with an error status a class, where nothing under it recorded one. It is
    /// the class that a caller derives from the same status
    /// ([`Span::record_status`](crate::Span::record_status)).
    pub(crate) fn classify(&mut self) {
        let has = |key: &str| self.attributes.iter().any(|set| set.key.as_str() == key);
        if self.kind == SpanKind::Server
            && matches!(self.status, Status::Error { .. })
            && has(ERROR_TYPE)
            && !has(attributes::ERROR_CLASS)
        {
            let class = ErrorClass::IoTransient.as_str();
            self.attributes.push(KeyValue::new(attributes::ERROR_CLASS, class));
        }
    }
}
