//! Metrics, traces and audit syslog of one CertAutoPilot process: one configuration, one call, one shutdown.
//!
//! ```no_run
//! use cap_telemetry::{Config, Document, Telemetry, names::Actor, syslog::Event};
//! use std::time::Duration;
//!
//! let mut document = Document::read("/etc/certautopilot/config.yaml")?;
//! let config = Config::from_document(&mut document)?;
//! document.finish()?;
//! let telemetry = Telemetry::start(config)?;
//!
//! telemetry.metrics().jobs().queued("renew");
//! telemetry.audit(Event::new("evt_1", "auth.login", Actor::user("alice"), "Logged in"));
//! println!("{}", telemetry.shutdown(Duration::from_secs(5)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! The pipes are the crates re-exported here, and a team that needs one of them depends on that crate alone. This one adds
//! what only makes sense for all of them: the [`Document`] that reads a file and the environment, the wiring, the audit call
//! that marks the current span, the pipes' own health as metrics, and a shutdown that drains them side by side.
//!
//! It is the only crate of the workspace that reads the environment, and it sets nothing process-wide: no subscriber, no
//! global tracer.

#![forbid(unsafe_code)]

mod config;
mod document;
mod error;
mod instance;
mod interval;
mod report;
mod telemetry;

pub use config::Config;
pub use document::Document;
pub use error::Error;
pub use interval::Interval;
pub use report::{Report, Status};
pub use telemetry::Telemetry;

pub use cap_egress as egress;
pub use cap_metrics as metrics;
pub use cap_names as names;
pub use cap_syslog as syslog;
pub use cap_tracing as tracing;

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
