//! An open span.

use std::fmt;
use std::future::Future;

use cap_names::{ErrorClass, attributes};
use http::{HeaderMap, StatusCode};
use opentelemetry::trace::{
    FutureExt as _, SpanKind, Status, TraceContextExt as _, TraceId, WithContext,
};
use opentelemetry::{Context, KeyValue, Value};

use crate::carrier::Carrier;
use crate::ids::SpanIds;
use crate::propagate::{self, Audience};
use crate::record::ERROR_TYPE;
use crate::sampling;

/// An open span; it ends when this is dropped. Under an unsampled parent it stands for the parent and records nothing.
#[derive(Debug)]
#[must_use = "the span ends when this is dropped"]
pub struct Span {
    /// With the span in it, or its parent's.
    context: Context,
    state: State,
}

#[derive(Debug)]
enum State {
    /// It is this span's to end.
    Recorded(SpanKind),
    /// Nothing was made: the context is the parent's.
    NonRecording,
    /// A trace begins here that is not sampled. The context that says so is made when somebody asks for it: many a span is opened
    /// and dropped with nothing in between.
    Unsampled(TraceId),
}

impl Span {
    pub(crate) fn recorded(context: Context, kind: SpanKind) -> Self {
        Span {
            context,
            state: State::Recorded(kind),
        }
    }

    pub(crate) fn non_recording(parent: Context) -> Self {
        Span {
            context: parent,
            state: State::NonRecording,
        }
    }

    pub(crate) fn unsampled_root(parent: Context, trace_id: TraceId) -> Self {
        Span {
            context: parent,
            state: State::Unsampled(trace_id),
        }
    }

    /// The context in which this span is the current one.
    pub(crate) fn context(&self) -> Context {
        match self.state {
            State::Recorded(_) | State::NonRecording => self.context.clone(),
            State::Unsampled(trace_id) => {
                let root = sampling::unsampled_root(trace_id);
                self.context.with_remote_span_context(root)
            }
        }
    }

    /// The same span, for whom its context is asked for again and again.
    pub(crate) fn materialize(&mut self) {
        if let State::Unsampled(_) = self.state {
            self.context = self.context();
            self.state = State::NonRecording;
        }
    }

    /// Whether this is a span of its own, and not yet ended.
    pub(crate) fn is_recorded(&self) -> bool {
        matches!(self.state, State::Recorded(_))
    }

    /// Adds what became known of it later.
    #[cfg(feature = "bridge")]
    pub(crate) fn update(&self, name: Option<String>, attributes: Vec<KeyValue>) {
        let span = self.context.span();
        if let Some(name) = name {
            span.update_name(name);
        }
        span.set_attributes(attributes);
    }

    /// Links the span to the one in another context, if there is one.
    pub(crate) fn link(&self, other: &Context) {
        if other.has_active_span() {
            let other = other.span().span_context().clone();
            self.context.span().add_link(other, Vec::new());
        }
    }

    /// Runs a future with this span as the current one.
    pub fn scope<F: Future>(&self, future: F) -> WithContext<F> {
        future.with_context(self.context())
    }

    /// Runs a function with this span as the current one.
    pub fn in_scope<T>(&self, f: impl FnOnce() -> T) -> T {
        let _current = self.context().attach();
        f()
    }

    /// The context as text, to be stored with a job.
    pub fn carrier(&self) -> Carrier {
        Carrier::of(&self.context())
    }

    /// Adds the context to the headers of an outgoing request.
    pub fn inject(&self, headers: &mut HeaderMap, audience: Audience) {
        propagate::inject(&self.context(), headers, audience);
    }

    /// Records the status of an answer.
    ///
    /// - On the span of a [`request`](crate::Tracer::request), this service answers with it. From 500 on,
    ///   the span is an error. Its class is that of the last
    ///   [`CurrentSpan::record_error`](crate::CurrentSpan::record_error) under it, and `io_transient`
    ///   without one.
    /// - On any other span, another system answered with it. From 400 on, the span is an error: of class
    ///   `auth` for 401 and 403, `io_transient` for 429 and from 500 on, otherwise `io_permanent`. A later
    ///   [`record_error`](Self::record_error) replaces the class.
    pub fn record_status(&self, status: StatusCode) {
        let State::Recorded(kind) = &self.state else {
            return;
        };
        let span = self.context.span();
        let code = i64::from(status.as_u16());
        span.set_attribute(KeyValue::new("http.response.status_code", code));
        let Some(class) = ErrorClass::from_http_status(status.as_u16()) else {
            return;
        };
        let serves = *kind == SpanKind::Server;
        if serves && status < StatusCode::INTERNAL_SERVER_ERROR {
            return;
        }
        span.set_attribute(KeyValue::new(ERROR_TYPE, status.as_str().to_owned()));
        span.set_status(Status::error(""));
        if !serves {
            span.set_attribute(KeyValue::new(attributes::ERROR_CLASS, class.as_str()));
        }
    }

    /// Records that no answer came: a service's error becomes a 500, and a caller got nothing.
    #[cfg(feature = "http")]
    pub(crate) fn record_no_answer(&self) {
        match self.state {
            State::Recorded(SpanKind::Server) => {
                self.record_status(StatusCode::INTERNAL_SERVER_ERROR);
            }
            // The error's own words may hold the URI.
            _ => self.record_error(ErrorClass::Network, &"no answer"),
        }
    }

    /// Records that the span's work failed. The message must hold no secret.
    pub fn record_error(&self, class: ErrorClass, message: &dyn fmt::Display) {
        if self.is_recorded() {
            record_error(&self.context, class, message);
        }
    }

    /// Sets an attribute. A second value for the same key replaces the first.
    pub fn set_attribute(&self, key: &'static str, value: impl Into<Value>) {
        if self.is_recorded() {
            let span = self.context.span();
            span.set_attribute(KeyValue::new(key, value));
        }
    }

    /// The span's ids, when it is sampled.
    pub fn ids(&self) -> Option<SpanIds> {
        SpanIds::sampled(self.context.span().span_context())
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if let State::Recorded(_) = self.state {
            self.context.span().end();
        }
    }
}

pub(crate) fn record_error(context: &Context, class: ErrorClass, message: &dyn fmt::Display) {
    let span = context.span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new(attributes::ERROR_CLASS, class.as_str()));
        span.set_status(Status::error(message.to_string()));
    }
}
