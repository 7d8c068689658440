//! Traces of HTTP requests and jobs over OTLP, with CertAutoPilot's attribute conventions and W3C context in and out.
//!
//! ```no_run
//! use cap_egress::{Connector, Guard, Policy, Trust};
//! use cap_tracing::{Config, Tracer};
//! use std::time::Duration;
//!
//! let connector = Connector::new(Guard::new(Policy::default()), Trust::system()?);
//! let tracer = Tracer::start(Config::new("http://otel-collector.observability:4318".parse()?), connector)?;
//!
//! let span = tracer.job("renew", "j1").attempt(2).certificate("c1").start();
//! span.in_scope(|| { /* what the job does; spans made here are its children */ });
//! drop(span);
//!
//! let report = tracer.shutdown(Duration::from_secs(5));
//! println!("{report}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Delivery
//!
//! A span that ends goes into a bounded queue; when the queue is full it is dropped and counted, and the caller never waits.
//! A thread with a runtime of its own sends batches, retries what may work later within a budget that a shutdown cuts, and
//! counts what the collector refused in a partial success. [`Stats`] closes:
//! `started = exported + rejected + dropped + failed + pending`, and [`Failures`] says of what kind the failed ones were.
//!
//! OTLP/HTTP and OTLP/gRPC are one [`Endpoint`] away from each other, and are retried and counted alike. Every connection is
//! opened by the [`Connector`](cap_egress::Connector), whose guard and trust roots apply; `https` and `grpcs` never send a byte
//! that is not TLS.
//!
//! # Sampling and propagation
//!
//! The decision of an upstream is honoured, unless [`Config::trusted_peers`] says whose; without one, traces are sampled by trace
//! id at a rate that may change while running ([`Tracer::set_sample_rate`]). Under an unsampled parent no span is made at all, and the inbound context and baggage go out as they came in; the same holds when
//! tracing is [`disabled`](Tracer::disabled). Baggage is sent only to [`Audience::Internal`].
//!
//! # Features
//!
//! `http` (default): [`TraceLayer`], a span for every request of a tower service, and [`ClientLayer`], one for every call of a tower
//! HTTP client.
//!
//! `bridge`: `Tracer::bridge`, a layer that puts the spans of the `tracing` crate among the typed ones, and `LogFormat`, which
//! puts the ids of the current span into log lines.
//!
//! # What it does not do
//!
//! It sets no process-wide tracer or propagator and reads no environment.

#![forbid(unsafe_code)]

mod batch;
#[cfg(feature = "bridge")]
mod bridge;
mod carrier;
mod config;
pub mod conventions;
mod current;
mod encode;
mod endpoint;
mod error;
mod export;
#[cfg(feature = "http")]
mod http;
mod ids;
mod job;
mod propagate;
mod queue;
mod record;
mod recorder;
mod request;
mod sampling;
mod span;
mod spans;
mod start;
mod stats;
mod tracer;

#[cfg(feature = "bridge")]
pub use bridge::LogFormat;
pub use carrier::Carrier;
pub use config::{Compression, Config, RequestTimeout, SampleRate, SpanCount};
pub use current::{CurrentSpan, current_span, current_span_ids};
pub use endpoint::Endpoint;
pub use error::{Error, SettingError};
#[cfg(feature = "http")]
pub use http::{
    ClientLayer, ClientMiddleware, Operation, TraceFuture, TraceLayer, TraceMiddleware,
};
pub use ids::SpanIds;
pub use job::JobSpan;
pub use propagate::{Audience, Propagator, extract, inject};
pub use request::RequestSpan;
pub use span::Span;
pub use stats::{Failures, Stats};
pub use tracer::Tracer;

// Their types stand in public signatures.
pub use opentelemetry;
#[cfg(feature = "bridge")]
pub use {tracing, tracing_subscriber};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
