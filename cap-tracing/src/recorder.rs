//! What a sampled span records, until it ends and is queued.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, Span, SpanContext, Status};

use crate::queue::Queue;
use crate::record::Record;

/// Attributes, events and links of one span at most, and attributes of one event or link: the defaults of the OpenTelemetry
/// specification (Span Limits). What is over is counted in the span.
const LIMIT: usize = 128;
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
