//! The span of one attempt at a job.

use cap_names::attributes;
use opentelemetry::trace::SpanKind;
use opentelemetry::{Context, KeyValue};

use crate::carrier::Carrier;
use crate::span::Span;
use crate::start::{ATTRIBUTES, SpanSpec};
use crate::tracer::Tracer;

/// A description of the span of one attempt at a job. [`Tracer::job`] makes it, and
/// [`start`](Self::start) starts the span.
#[derive(Clone, Copy, Debug)]
#[must_use = "the span begins with `start`"]
pub struct JobSpan<'a> {
    tracer: &'a Tracer,
    job_type: &'a str,
    job_id: &'a str,
    attempt: u32,
    certificate: Option<&'a str>,
    distribution: Option<&'a str>,
    project: Option<&'a str>,
    parent: Option<&'a Carrier>,
    previous_attempt: Option<&'a Carrier>,
}

impl Tracer {
    /// Describes an attempt at a job. `job_id` is the same on every attempt.
    ///
    /// ```
    /// # use cap_tracing::{Carrier, Tracer};
    /// # let (tracer, enqueued_by) = (Tracer::disabled(), Carrier::default());
    /// let span = tracer
    ///     .job("renew", "j1")
    ///     .attempt(2)
    ///     .certificate("c1")
    ///     .parent(&enqueued_by)
    ///     .start();
    /// ```
    #[inline]
    pub fn job<'a>(&'a self, job_type: &'a str, job_id: &'a str) -> JobSpan<'a> {
        JobSpan {
            tracer: self,
            job_type,
            job_id,
            attempt: 1,
            certificate: None,
            distribution: None,
            project: None,
            parent: None,
            previous_attempt: None,
        }
    }
}

impl<'a> JobSpan<'a> {
    /// The number of the attempt, counted from 1. Default: 1.
    #[inline]
    pub fn attempt(mut self, number: u32) -> Self {
        self.attempt = number;
        self
    }

    /// The id of the certificate that the job works on.
    #[inline]
    pub fn certificate(mut self, id: &'a str) -> Self {
        self.certificate = Some(id);
        self
    }

    /// The id of the distribution that the job carries out.
    #[inline]
    pub fn distribution(mut self, id: &'a str) -> Self {
        self.distribution = Some(id);
        self
    }

    /// The id of the project that the job belongs to.
    #[inline]
    pub fn project(mut self, id: &'a str) -> Self {
        self.project = Some(id);
        self
    }

    /// The carrier that was stored with the job. The span becomes a child of the span that enqueued
    /// the job. Without a carrier the span is the root of a trace.
    #[inline]
    pub fn parent(mut self, carrier: &'a Carrier) -> Self {
        self.parent = Some(carrier);
        self
    }

    /// The carrier of the attempt before this one: the span links to it.
    #[inline]
    pub fn previous_attempt(mut self, carrier: &'a Carrier) -> Self {
        self.previous_attempt = Some(carrier);
        self
    }

    /// Starts the span.
    pub fn start(self) -> Span {
        let parent = self.parent.map_or_else(Context::new, Carrier::context);
        let span = self.tracer.open(parent, || self.spec());
        if let Some(previous) = self.previous_attempt.filter(|_| span.is_recorded()) {
            span.link(&previous.context());
        }
        span
    }

    fn spec(&self) -> SpanSpec {
        let mut attributes = Vec::with_capacity(ATTRIBUTES);
        attributes.extend([
            KeyValue::new(attributes::JOB_TYPE, self.job_type.to_owned()),
            KeyValue::new(attributes::JOB_ID, self.job_id.to_owned()),
            KeyValue::new(attributes::JOB_ATTEMPT, i64::from(self.attempt)),
        ]);
        let ids = [
            (attributes::CERT_ID, self.certificate),
            (attributes::DISTRIBUTION_ID, self.distribution),
            (attributes::PROJECT_ID, self.project),
        ];
        attributes.extend(
            ids.into_iter().filter_map(|(key, id)| Some(KeyValue::new(key, id?.to_owned()))),
        );
        SpanSpec {
            kind: SpanKind::Consumer,
            name: ["job ", self.job_type].concat().into(),
            attributes,
        }
    }
}
