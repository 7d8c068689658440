//! An open sampled span, as OpenTelemetry's `Span`.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, Span, SpanContext, Status};

use crate::queue::Queue;
use crate::record::Record;

/// Attributes, events and links of one span, and attributes of one event or link: the default
/// limits of the OpenTelemetry specification (Span Limits). The span counts what exceeds them.
const LIMIT: usize = 128;
/// An OpenTelemetry span, so that it can be current in an OpenTelemetry context, where other
/// instrumentation finds it.
///
/// The SDK's own span would repeat the sampling decision that was made before.
#[derive(Debug)]
pub(crate) struct Recorder {
    context: SpanContext,
    /// `None` once the span has ended.
    record: Option<Record>,
    queue: Arc<Queue>,
}

impl Recorder {
    pub(crate) fn start(record: Record, queue: Arc<Queue>) -> Self {
        queue.started();
        Self { context: record.context.clone(), record: Some(record), queue }
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
        // Each key is there once, with the value that was set last (Trace API, Set Attributes).
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
        // Ok is final, and no status returns to Unset (Trace API, Set Status): `Status` orders them
        // so.
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

/// A span that nobody ended ends when its last reference is dropped.
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
