//! A typed span on the caller's side, against the raw SDK.

use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_tracing::{Carrier, Config, Job, SampleRate, Tracing};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{
    Sampler, SdkTracer, SdkTracerProvider, Span, SpanData, SpanProcessor,
};

use crate::harness::{Bench, Case};

/// Ended spans are discarded.
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

const JOB: Job<'_> = Job {
    job_type: "renew",
    id: "01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZA",
    attempt: 1,
    certificate_id: Some("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZB"),
    project_id: Some("01JS0ZQ3M7Y8Q4V5T6W7X8Y9ZC"),
};

fn ours() -> Tracing {
    let mut config = Config::new("http://127.0.0.1:9".parse().expect("an endpoint"));
    config.sample_rate = SampleRate::ALL;
    config.queue_size = 1;
    let connector = Connector::new(
        Guard::new(Policy::default()),
        Trust::system().expect("roots"),
    );
    Tracing::start(config, connector).expect("a sound configuration")
}

fn provider() -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(Sampler::AlwaysOn)))
        .with_span_processor(Discard)
        .build()
}

/// The same span from the SDK itself, its attributes made only if it records.
fn raw(tracer: &SdkTracer, parent: &Context) {
    let builder =
        SpanBuilder::from_name(format!("job {}", JOB.job_type)).with_kind(SpanKind::Consumer);
    let mut span = tracer.build_with_context(builder, parent);
    if span.is_recording() {
        span.set_attribute(KeyValue::new("cap.job.id", JOB.id.to_owned()));
    }
    drop(parent.with_span(span));
}

pub(crate) fn run(bench: &mut Bench) {
    let tracing = ours();
    let provider = provider();
    let tracer = provider.tracer("peer");

    let parent = r#"{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"}"#;
    let parent: Carrier = serde_json::from_str(parent).expect("a carrier");
    // An unsampled request is current, and a job is enqueued under it.
    tracing.job(&JOB, &parent, None).in_scope(|| {
        bench.compare(
            &Case {
                case: "span under an unsampled parent",
                peer: "raw SDK",
                floor: 0.91,
            },
            |count| (0..count).for_each(|_| drop(tracing.enqueue(JOB.job_type, JOB.id))),
            |count| (0..count).for_each(|_| raw(&tracer, &Context::current())),
        );
    });
    tracing.shutdown(Duration::ZERO);
}
