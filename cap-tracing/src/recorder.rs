//! What a sampled span records, until it ends and is queued.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::SystemTime;

use opentelemetry::KeyValue;
use opentelemetry::trace::{Event, Link, Span, SpanContext, Status};
use opentelemetry_sdk::trace::SpanData;

use crate::queue::Queue;

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
    data: Option<SpanData>,
    queue: Arc<Queue>,
}

impl Recorder {
    pub(crate) fn start(data: SpanData, queue: Arc<Queue>) -> Self {
        queue.started();
        Recorder {
            context: data.span_context.clone(),
            data: Some(data),
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
        let Some(data) = &mut self.data else { return };
        let dropped = cut(&mut attributes);
        if data.events.events.len() < LIMIT {
            let event = Event::new(name, timestamp, attributes, dropped);
            data.events.events.push(event);
        } else {
            data.events.dropped_count += 1;
        }
    }

    fn span_context(&self) -> &SpanContext {
        &self.context
    }

    fn is_recording(&self) -> bool {
        self.data.is_some()
    }

    fn set_attribute(&mut self, attribute: KeyValue) {
        let Some(data) = &mut self.data else { return };
        if data.attributes.len() < LIMIT {
            data.attributes.push(attribute);
        } else {
            data.dropped_attributes_count += 1;
        }
    }

    fn set_status(&mut self, status: Status) {
        // Ok is final, and nothing goes back to Unset (Trace API, Set Status): that is their order.
        if let Some(data) = &mut self.data
            && status > data.status
        {
            data.status = status;
        }
    }

    fn update_name<T>(&mut self, new_name: T)
    where
        T: Into<Cow<'static, str>>,
    {
        if let Some(data) = &mut self.data {
            data.name = new_name.into();
        }
    }

    fn add_link(&mut self, span_context: SpanContext, mut attributes: Vec<KeyValue>) {
        let Some(data) = &mut self.data else { return };
        let dropped = cut(&mut attributes);
        if data.links.links.len() < LIMIT {
            let link = Link::new(span_context, attributes, dropped);
            data.links.links.push(link);
        } else {
            data.links.dropped_count += 1;
        }
    }

    fn end_with_timestamp(&mut self, timestamp: SystemTime) {
        if let Some(mut data) = self.data.take() {
            data.end_time = timestamp;
            self.queue.push(data);
        }
    }
}

/// A span that nobody ended ends when nobody can reach it any more.
impl Drop for Recorder {
    fn drop(&mut self) {
        if self.data.is_some() {
            self.end();
        }
    }
}

fn cut(attributes: &mut Vec<KeyValue>) -> u32 {
    let dropped = attributes.len().saturating_sub(LIMIT);
    attributes.truncate(LIMIT);
    dropped as u32
}
