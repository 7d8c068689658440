//! A typed span on the caller's side, against the raw SDK with the same attributes.

use std::time::Duration;

use cap_egress::{Connector, Guard, Policy, Trust};
use cap_tracing::{Carrier, Config, Job, SampleRate, Tracing};
use opentelemetry::trace::{
    Span as _, SpanBuilder, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _,
};
use opentelemetry::{Context, KeyValue};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{Sampler, SdkTracerProvider, Span, SpanData, SpanProcessor};

use crate::harness::{Bench, Case};

/// Ended spans are discarded, as ours are once the queue is full.
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

fn ours(rate: SampleRate) -> Tracing {
    let mut config = Config::new("http://127.0.0.1:9".parse().expect("an endpoint"));
    config.sample_rate = rate;
    config.queue_size = 1;
    let connector = Connector::new(
        Guard::new(Policy::default()),
        Trust::system().expect("roots"),
    );
    Tracing::start(config, connector).expect("a sound configuration")
}

fn raw(tracer: &opentelemetry_sdk::trace::SdkTracer, parent: &Context) {
    let builder =
        SpanBuilder::from_name(format!("job {}", JOB.job_type)).with_kind(SpanKind::Consumer);
    let mut span = tracer.build_with_context(builder, parent);
    if span.is_recording() {
        span.set_attributes([
            KeyValue::new("cap.job.type", JOB.job_type.to_owned()),
            KeyValue::new("cap.job.id", JOB.id.to_owned()),
            KeyValue::new("cap.job.attempt", i64::from(JOB.attempt)),
            KeyValue::new(
                "cap.cert.id",
                JOB.certificate_id.unwrap_or_default().to_owned(),
            ),
            KeyValue::new(
                "cap.tenant.project_id",
                JOB.project_id.unwrap_or_default().to_owned(),
            ),
        ]);
    }
    drop(parent.with_span(span));
}

pub(crate) fn run(bench: &mut Bench) {
    for (case, rate, sampler) in [
        ("sampled job span", SampleRate::ALL, Sampler::AlwaysOn),
        (
            "unsampled root span",
            "0".parse().expect("a rate"),
            Sampler::AlwaysOff,
        ),
    ] {
        let tracing = ours(rate);
        let provider = SdkTracerProvider::builder()
            .with_sampler(Sampler::ParentBased(Box::new(sampler)))
            .with_span_processor(Discard)
            .build();
        let tracer = provider.tracer("raw");
        let (carrier, root) = (Carrier::default(), Context::new());
        bench.compare(
            &Case {
                case,
                peer: "raw SDK",
                floor: 0.91,
            },
            |count| {
                for _ in 0..count {
                    drop(tracing.job(&JOB, &carrier, None));
                }
            },
            |count| {
                for _ in 0..count {
                    raw(&tracer, &root);
                }
            },
        );
        tracing.shutdown(Duration::ZERO);
    }
}
