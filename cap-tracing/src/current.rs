//! The span that is current.

use std::fmt;
use std::future::Future;

use cap_names::{Actor, ErrorClass, attributes};
use opentelemetry::trace::{FutureExt as _, TraceContextExt as _, WithContext};
use opentelemetry::{Context, KeyValue};

use crate::carrier::Carrier;
use crate::ids::SpanIds;
use crate::span::record_error;

/// The span of the request or job that this code runs for.
pub fn current_span() -> CurrentSpan {
    CurrentSpan(Context::current())
}

/// The ids of the current span, if it is sampled. For exemplars: costs no more than a look at the
/// context.
pub fn current_span_ids() -> Option<SpanIds> {
    Context::map_current(|context| SpanIds::sampled(context.span().span_context()))
}

/// The current span. Without one, or if it is not sampled, its methods record nothing.
#[derive(Debug)]
pub struct CurrentSpan(Context);

impl CurrentSpan {
    /// Sets the id of the organization.
    pub fn set_org(&self, id: &str) -> &Self {
        self.set(attributes::ORG_ID, id)
    }

    /// Sets the id of the project.
    pub fn set_project(&self, id: &str) -> &Self {
        self.set(attributes::PROJECT_ID, id)
    }

    /// Sets the id of the certificate.
    pub fn set_certificate(&self, id: &str) -> &Self {
        self.set(attributes::CERT_ID, id)
    }

    /// Sets the id of the distribution.
    pub fn set_distribution(&self, id: &str) -> &Self {
        self.set(attributes::DISTRIBUTION_ID, id)
    }

    /// Sets the type of the actor. The actor's name is not recorded.
    pub fn set_actor(&self, actor: &Actor) -> &Self {
        self.set(attributes::ACTOR_TYPE, actor.kind().as_str())
    }

    /// Adds the event `audit`, which names an audit event by its type and id.
    pub fn record_audit_event(&self, event_type: &str, event_id: &str) -> &Self {
        let span = self.0.span();
        if span.is_recording() {
            let attributes = vec![
                KeyValue::new(attributes::EVENT_ID, event_id.to_owned()),
                KeyValue::new(attributes::EVENT_TYPE, event_type.to_owned()),
            ];
            span.add_event("audit", attributes);
        }
        self
    }

    /// Records that the work failed. The message must hold no secret.
    pub fn record_error(&self, class: ErrorClass, message: &dyn fmt::Display) -> &Self {
        record_error(&self.0, class, message);
        self
    }

    /// The context as text, to be stored with a job.
    pub fn carrier(&self) -> Carrier {
        Carrier::of(&self.0)
    }

    /// Runs a future with this span as the current one, on any thread.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.0.clone())
    }

    /// Runs a function with this span as the current one, on any thread.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _current = self.0.clone().attach();
        f()
    }

    /// The span's ids, when it is sampled.
    pub fn ids(&self) -> Option<SpanIds> {
        SpanIds::sampled(self.0.span().span_context())
    }

    fn set(&self, key: &'static str, value: &str) -> &Self {
        let span = self.0.span();
        if span.is_recording() {
            span.set_attribute(KeyValue::new(key, value.to_owned()));
        }
        self
    }
}
