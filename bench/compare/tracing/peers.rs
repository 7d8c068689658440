//! The same spans by the SDK, by the layer for `tracing` over it, and by fastrace. Ended spans are
//! discarded.

use std::time::Duration;

use fastrace::collector::{Reporter, SpanContext, SpanRecord};
use opentelemetry::trace::{Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor,
};
use tracing::Dispatch;
use tracing_subscriber::layer::SubscriberExt as _;

use super::JOB;

#[derive(Debug)]
struct Discard;

impl SpanProcessor for Discard {
    fn on_start(&self, _: &mut Span, _: &Context) {}

    fn on_end(&self, span: SpanData) {
        drop(span);
    }

    fn force_flush(&self) -> OTelSdkResult {
        Ok(())
    }

    fn shutdown_with_timeout(&self, _: Duration) -> OTelSdkResult {
        Ok(())
    }
}

impl Reporter for Discard {
    fn report(&mut self, spans: Vec<SpanRecord>) {
        drop(spans);
    }
}

pub(super) fn provider(root: Sampler) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(root)))
        .with_span_processor(Discard)
        .build()
}

/// A subscriber with only the layer for `tracing` over this tracer.
pub(super) fn layered(tracer: &SdkTracer) -> Dispatch {
    let layer = tracing_opentelemetry::layer().with_tracer(tracer.clone());
    Dispatch::new(tracing_subscriber::registry().with(layer))
}

/// A job's span by the SDK, as a careful user writes it: a static name, and attributes only if the
/// span records.
pub(super) fn raw_job(tracer: &SdkTracer, parent: &Context) -> Context {
    let builder = SpanBuilder::from_name("job renew").with_kind(SpanKind::Consumer);
    let mut span = tracer.build_with_context(builder, parent);
    if span.is_recording() {
        span.set_attributes([
            KeyValue::new("cap.job.type", JOB.job_type.to_owned()),
            KeyValue::new("cap.job.id", JOB.id.to_owned()),
            KeyValue::new("cap.job.attempt", i64::from(JOB.attempt)),
            KeyValue::new("cap.cert.id", JOB.certificate_id.to_owned()),
            KeyValue::new("cap.tenant.project_id", JOB.project_id.to_owned()),
        ]);
    }
    let context = parent.with_span(span);
    let span = context.span();
    if span.is_recording() {
        span.set_attribute(KeyValue::new("cap.renewed", true));
    }
    context
}

pub(super) fn raw_child(tracer: &SdkTracer) {
    let builder = SpanBuilder::from_name("enqueue renew").with_kind(SpanKind::Producer);
    let mut span = tracer.build_with_context(builder, &Context::current());
    if span.is_recording() {
        span.set_attribute(KeyValue::new("cap.job.type", JOB.job_type.to_owned()));
        span.set_attribute(KeyValue::new("cap.job.id", JOB.id.to_owned()));
    }
    drop(Context::current().with_span(span));
}

pub(super) fn discard_fastrace() {
    fastrace::set_reporter(Discard, fastrace::collector::Config::default());
}

/// All its attributes are text.
pub(super) fn fastrace_job(sampled: bool) -> fastrace::Span {
    let parent = SpanContext::random().sampled(sampled);
    let span = fastrace::Span::root("job renew", parent).with_properties(|| {
        [
            ("cap.job.type", JOB.job_type.to_owned()),
            ("cap.job.id", JOB.id.to_owned()),
            ("cap.job.attempt", JOB.attempt.to_string()),
            ("cap.cert.id", JOB.certificate_id.to_owned()),
            ("cap.tenant.project_id", JOB.project_id.to_owned()),
        ]
    });
    span.add_property(|| ("cap.renewed", "true"));
    span
}

pub(super) fn fastrace_child() {
    let _span = fastrace::local::LocalSpan::enter_with_local_parent("enqueue renew")
        .with_properties(|| {
            [("cap.job.type", JOB.job_type.to_owned()), ("cap.job.id", JOB.id.to_owned())]
        });
}
