//! Traces of HTTP requests and jobs over OTLP, with W3C context in and out.
//!
//! ```no_run
//! use cap_egress::{Connector, Guard, Policy, Trust};
//! use cap_tracing::{Config, Tracer};
//! use std::time::Duration;
//!
//! let connector = Connector::new(Guard::new(Policy::default()), Trust::system()?);
//! let config = Config::new("http://otel-collector.observability:4318".parse()?);
//! let tracer = Tracer::start(config, connector)?;
//!
//! let span = tracer.job("renew", "j1").attempt(2).certificate("c1").start();
//! span.in_scope(|| { /* the job; spans made here are children of its span */ });
//! drop(span);
//!
//! let stats = tracer.shutdown(Duration::from_secs(5));
//! println!("{stats}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Export
//!
//! A span that ends goes into a bounded queue. If the queue is full, the span is dropped and
//! counted; the caller never waits. A thread with its own runtime sends batches and retries them. A
//! shutdown shortens every wait to its deadline.
//!
//! [`Stats`] closes: `started = exported + rejected + dropped + failed + pending`. [`Failures`]
//! says why spans failed.
//!
//! The scheme of the [`Endpoint`] chooses OTLP/HTTP or OTLP/gRPC. Both are retried and counted
//! alike. The [`Connector`](cap_egress::Connector) opens every connection, so its guard and its
//! trust roots apply. With `https` and `grpcs`, every byte is sent over TLS.
//!
//! # Sampling and propagation
//!
//! The decision of a trusted upstream is kept ([`Config::trusted_peers`]). Otherwise the trace id
//! decides, at a rate that can change at any time ([`Tracer::set_sample_rate`]).
//!
//! Under an unsampled parent no span is made, and the inbound context and baggage go out unchanged.
//! The same holds for a [disabled](Tracer::disabled) tracer. Only [`Audience::Internal`] receives
//! baggage.
//!
//! # Features
//!
//! - `http` (default): [`TraceLayer`] makes a span for every request of a tower service, and
//!   [`ClientLayer`] for every call of a tower HTTP client.
//! - `bridge`: `Tracer::bridge` makes spans of the `tracing` crate's spans, and `LogFormat` writes
//!   the ids of the current span into log lines.
//!
//! # What it does not do
//!
//! - It sets no process-wide tracer or propagator.
//! - It reads no environment variable.

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
