//! The reference service: a small, honest stand-in for the product, built on the public API of `cap-telemetry` alone.
//!
//! It issues, renews, revokes and distributes certificates against an ACME provider, with a job queue, an embedded
//! database and a KEK rotation, so that everything it measures, traces and audits happens.
//!
//! Where to look for how a program is instrumented:
//!
//! | What | Where |
//! |---|---|
//! | one configuration file for the program and its pipes | `main.rs`, [`Config`] |
//! | requests measured and traced | `routes.rs` |
//! | an audit row, and the event forwarded from it | [`store::Work::record`], `forward.rs` |
//! | a job in the trace of the request that asked for it | `queue.rs`, `worker.rs` |
//! | an external call: one span, one measurement, the class of its failure | `outbound.rs` |
//! | gauges that follow from the inventory | `gauges.rs` |
//! | a shutdown that loses nothing | [`Service::stop`], `main.rs` |
//!
//! # What it does not do
//!
//! It enforces no roles, and keeps its KEK in a file. It is not published.

#![forbid(unsafe_code)]

mod accounts;
mod acme;
pub mod acme_server;
mod actor;
mod app;
mod config;
mod failure;
mod forward;
mod gauges;
mod ids;
mod kek;
mod license;
mod names;
mod outbound;
mod queue;
mod replica;
mod routes;
mod scheduler;
mod service;
mod settings;
pub mod store;
mod task;
mod tasks;
mod worker;

pub use acme::Endpoint;
pub use config::{Config, HttpUrl};
pub use kek::{Keyring, MasterKey, Rotations};
pub use kek::{RunError as RotationError, StartError as RotationRefused};
pub use service::{Service, StartError};
pub use store::AuditLog;
pub use task::{JobKind, Task, Trigger};
