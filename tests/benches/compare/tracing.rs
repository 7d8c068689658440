//! A typed span on the caller's side, against the raw SDK and the layer for `tracing`.

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
use tracing_subscriber::layer::SubscriberExt as _;

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

/// A pipe whose queue is full, so that its ended spans are discarded as the peers' are.
fn ours(sample_rate: SampleRate) -> Tracing {
    let mut config = Config::new("http://127.0.0.1:9".parse().expect("an endpoint"));
    config.sample_rate = sample_rate;
    config.queue_size = 1;
    let connector = Connector::new(
        Guard::new(Policy::default()),
        Trust::system().expect("roots"),
    );
    Tracing::start(config, connector).expect("a sound configuration")
}

fn provider(root: Sampler) -> SdkTracerProvider {
    SdkTracerProvider::builder()
        .with_sampler(Sampler::ParentBased(Box::new(root)))
        .with_span_processor(Discard)
        .build()
}

/// The span of a job with an attribute that is known only when it ends, six in all.
fn job(tracing: &Tracing) {
    let span = tracing.job(&JOB, &Carrier::default(), None);
    span.set("cap.renewed", true);
}

/// The same span from the SDK itself, its attributes made only if it records.
fn raw_job(tracer: &SdkTracer, parent: &Context) -> Context {
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
    let context = parent.with_span(span);
    if context.span().is_recording() {
        context
            .span()
            .set_attribute(KeyValue::new("cap.renewed", true));
    }
    context
}

/// The same span through `tracing`, with no other layer and no other consumer.
fn tracing_job() {
    let span = tracing::info_span!(
        "job renew",
        otel.kind = "consumer",
        cap.job.r#type = JOB.job_type,
        cap.job.id = JOB.id,
        cap.job.attempt = JOB.attempt,
        cap.cert.id = JOB.certificate_id,
        cap.tenant.project_id = JOB.project_id,
        cap.renewed = tracing::field::Empty,
    );
    span.record("cap.renewed", true);
}

fn raw_child(tracer: &SdkTracer) {
    let builder =
        SpanBuilder::from_name(format!("enqueue {}", JOB.job_type)).with_kind(SpanKind::Producer);
    let mut span = tracer.build_with_context(builder, &Context::current());
    if span.is_recording() {
        span.set_attribute(KeyValue::new("cap.job.type", JOB.job_type.to_owned()));
        span.set_attribute(KeyValue::new("cap.job.id", JOB.id.to_owned()));
    }
    drop(Context::current().with_span(span));
}

pub(crate) fn run(bench: &mut Bench) {
    let zero = "0".parse().expect("a rate");
    let (none, all) = (ours(zero), ours(SampleRate::ALL));
    let (no_spans, spans) = (
        provider(Sampler::TraceIdRatioBased(0.0)),
        provider(Sampler::AlwaysOn),
    );
    let (raw_none, raw_all) = (no_spans.tracer("peer"), spans.tracer("peer"));
    let layered = tracing_subscriber::registry()
        .with(tracing_opentelemetry::layer().with_tracer(raw_all.clone()));
    let root = Context::new();
    let times = |count: u64, f: &dyn Fn()| (0..count).for_each(|_| f());

    // An unsampled request is current, and a job is enqueued under it.
    none.job(&JOB, &Carrier::default(), None).in_scope(|| {
        bench.compare(
            &Case {
                case: "span under an unsampled parent",
                peer: "raw SDK",
                floor: 0.91,
            },
            |count| (0..count).for_each(|_| drop(none.enqueue(JOB.job_type, JOB.id))),
            |count| (0..count).for_each(|_| raw_child(&raw_none)),
        );
    });
    bench.compare(
        &Case {
            case: "unsampled root span",
            peer: "raw SDK",
            floor: 4.0,
        },
        |count| (0..count).for_each(|_| job(&none)),
        |count| (0..count).for_each(|_| drop(raw_job(&raw_none, &root))),
    );
    bench.compare(
        &Case {
            case: "unsampled tree of 1+4 spans",
            peer: "raw SDK",
            floor: 4.0,
        },
        |count| {
            times(count, &|| {
                let span = none.job(&JOB, &Carrier::default(), None);
                span.in_scope(|| times(4, &|| drop(none.enqueue(JOB.job_type, JOB.id))));
            });
        },
        |count| {
            times(count, &|| {
                let _current = raw_job(&raw_none, &root).attach();
                times(4, &|| raw_child(&raw_none));
            });
        },
    );
    bench.compare(
        &Case {
            case: "sampled span with six attributes",
            peer: "raw SDK",
            floor: 0.91,
        },
        |count| (0..count).for_each(|_| job(&all)),
        |count| (0..count).for_each(|_| drop(raw_job(&raw_all, &root))),
    );
    tracing::subscriber::with_default(layered, || {
        bench.compare(
            &Case {
                case: "sampled span with six attributes",
                peer: "tracing-opentelemetry",
                floor: 2.5,
            },
            |count| (0..count).for_each(|_| job(&all)),
            |count| (0..count).for_each(|_| tracing_job()),
        );
    });
    for tracing in [none, all] {
        tracing.shutdown(Duration::ZERO);
    }
}
