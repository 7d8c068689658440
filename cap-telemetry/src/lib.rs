//! Metrics, traces and audit syslog of one process: one configuration, one start, one shutdown.
//!
//! ```no_run
//! use cap_telemetry::{Config, Telemetry, names::Actor, syslog::Event};
//! use std::time::Duration;
//!
//! let telemetry = Telemetry::start(Config::read("/etc/certautopilot/config.yaml")?)?;
//!
//! telemetry.metrics().jobs().record_queued("renew");
//! let span = telemetry.tracer().service_call("renewals", "schedule");
//! span.in_scope(|| {
//!     telemetry.audit(Event::new("evt_1", "auth.login", Actor::user("alice"), "Logged in"));
//! });
//! drop(span);
//!
//! println!("{}", telemetry.shutdown(Duration::from_secs(5)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The pipelines are the crates re-exported here. A team that needs one pipeline depends on that
//! crate alone. This crate adds what concerns all of them:
//!
//! - the [`Document`], which reads a file and the environment,
//! - the start of the pipelines, with one egress policy for every connection,
//! - an audit call that records the event on the current span,
//! - the health of the pipelines as metrics,
//! - a shutdown that drains all pipelines at the same time.
//!
//! # One file for the pipelines and the program
//!
//! A program keeps its own keys in the same file. Each part takes the keys it needs; a key that no
//! part took is an error.
//!
//! ```
//! use cap_telemetry::{Config, Document};
//!
//! let text = "listen: 127.0.0.1:8080\ntelemetry: { tracing: { sample_rate: 0.5 } }\n";
//! let mut document = Document::parse("config.yaml", text, [])?;
//! let listen = document.take::<std::net::SocketAddr>("listen")?;
//! let config = Config::from_document(&mut document)?;
//! document.finish()?;
//!
//! let mut document = Document::parse("config.yaml", "syslog: { hots: relay }", [])?;
//! Config::from_document(&mut document)?;
//! let error = document.finish().unwrap_err().to_string();
//! assert_eq!(
//!     error,
//!     "config.yaml:1: syslog.hots: unknown key; the nearest valid key is syslog.host"
//! );
//! # Ok::<(), cap_telemetry::Error>(())
//! ```
//!
//! [`Config::keys`] lists every key with its type, default and variable. `docs/configuration.md` is
//! generated from it.
//!
//! # While it runs
//!
//! ```
//! use cap_telemetry::{Config, Telemetry};
//!
//! let telemetry = Telemetry::start(Config::default())?;
//! let relay = cap_telemetry::syslog::Config::new("127.0.0.1:601".parse()?);
//! telemetry.reconfigure_syslog(Some(relay))?;
//! telemetry.set_sample_rate("1.0".parse()?);
//! assert_eq!(telemetry.status().syslog.map(|syslog| syslog.capacity), Some(10_000));
//! # telemetry.shutdown(std::time::Duration::ZERO);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! `bridge`: spans of the `tracing` crate in the traces, and log lines with trace ids
//! (`cap_telemetry::trace::Tracer::bridge` and `LogFormat`).
//!
//! `settings-ui`: Settings → Syslog as JSON and as a page, for an axum application to mount
//! (`cap_telemetry::settings`).
//!
//! # What it does not do
//!
//! It sets nothing process-wide: no subscriber, no global tracer. It is the only library of the
//! workspace that reads settings from the environment.

#![forbid(unsafe_code)]

mod audit;
mod config;
mod document;
mod error;
mod health;
mod instance;
mod interval;
mod keys;
mod listener;
mod pipelines;
mod report;
#[cfg(feature = "settings-ui")]
pub mod settings;
mod telemetry;

pub use config::{Config, MetricsConfig};
pub use document::Document;
pub use error::Error;
pub use interval::{Interval, ParseIntervalError};
pub use keys::{DefaultValue, Key, ValueType};
pub use report::{MetricsStatus, Report, Status};
pub use telemetry::{Telemetry, TelemetryBuilder};

pub use cap_egress as egress;
pub use cap_metrics as metrics;
pub use cap_names as names;
pub use cap_syslog as syslog;
pub use cap_tracing as trace;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
