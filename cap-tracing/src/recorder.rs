//! What a sampled span records, until it ends and is queued.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use cap_names::{ErrorClass, attributes};
use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, Span, SpanContext, SpanId, SpanKind, Status};

use crate::queue::Queue;

/// Attributes, events and links of one span at most, and attributes of one event or link: the defaults of the OpenTelemetry
/// specification (Span Limits). What is over is counted in the span.
const LIMIT: usize = 128;
/// The status of an answer that is an error.
pub(crate) const ERROR_TYPE: &str = "error.type";

/// All that is known of a span.
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
    /// What was over the limits.
    pub(crate) dropped: Dropped,
    pub(crate) status: Status,
}

impl Record {
    /// An answer that is an error has a class also where nobody said which: the one that its caller makes of it
    /// ([`Span::record_status`](crate::Span::record_status)).
    fn classify(&mut self) {
        let has = |key: &str| self.attributes.iter().any(|set| set.key.as_str() == key);
        if self.kind == SpanKind::Server
            && matches!(self.status, Status::Error { .. })
            && has(ERROR_TYPE)
            && !has(attributes::ERROR_CLASS)
        {
            let class = ErrorClass::IoTransient.as_str();
            self.attributes
                .push(KeyValue::new(attributes::ERROR_CLASS, class));
        }
    }
}

/// How many of each were over the limits.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Dropped {
    pub(crate) attributes: u32,
    pub(crate) events: u32,
    pub(crate) links: u32,
}

/// An OpenTelemetry span, so that it can be current in an OpenTelemetry context and other instrumentation finds it there.
///
/// The SDK's own would ask a sampler, a tracer and its provider for every span what is already known here.
#[derive(Debug)]
pub(crate) struct Recorder {
    context: SpanContext,
    /// Until it ends.
    record: Option<Record>,
    queue: Arc<Queue>,
}

impl Recorder {
    pub(crate) fn start(record: Record, queue: Arc<Queue>) -> Self {
        queue.started();
        Recorder {
            context: record.context.clone(),
            record: Some(record),
            queue,
        }
    }
}

impl Span for Recorder {
    fn add_event_with_timestamp<T>(
        &mut self,
        name: T,
        timestamp: SystemTime,
        mut attributes: Vec<KeyValue>,
    ) where
        T: Into<Cow<'static, str>>,
    {
        let Some(record) = &mut self.record else {
            return;
        };
        let dropped = cut(&mut attributes);
        if record.events.len() < LIMIT {
            let event = Event::new(name, timestamp, attributes, dropped);
            record.events.push(event);
        } else {
            record.dropped.events += 1;
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.record.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        let Some(record) = &mut self.record else {
            return;
        };
        // A key is there once, with what was set last (Trace API, Set Attributes).
        let mut set = record.attributes.iter_mut();
        if let Some(set) = set.find(|set| set.key == attribute.key) {
            set.value = attribute.value;
        } else if record.attributes.len() < LIMIT {
            record.attributes.push(attribute);
        } else {
            record.dropped.attributes += 1;
        }
    }

    fn set_status(&mut self, status: Status) {
        // Ok is final, and nothing goes back to Unset (Trace API, Set Status): that is their order.
        if let Some(record) = &mut self.record
            && status > record.status
        {
            record.status = status;
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(record) = &mut self.record {
            record.name = new_name.into();
        }
    }

    fn add_link(&mut self, span_context: SpanContext, mut attributes: Vec<KeyValue>) {
        let Some(record) = &mut self.record else {
            return;
        };
        let dropped = cut(&mut attributes);
        if record.links.len() < LIMIT {
            let link = Link::new(span_context, attributes, dropped);
            record.links.push(link);
        } else {
            record.dropped.links += 1;
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(mut record) = self.record.take() {
            record.end = timestamp;
            record.classify();
            self.queue.push(&record);
        }
    }
}

/// A span that nobody ended ends when nobody can reach it any more.
impl Drop for Recorder {
    fn drop(&mut self) {
        if self.record.is_some() {
            self.end();
        }
    }
}

fn cut(attributes: &mut Vec<KeyValue>) -> u32 {
    let dropped = attributes.len().saturating_sub(LIMIT);
    attributes.truncate(LIMIT);
    dropped as u32
}
