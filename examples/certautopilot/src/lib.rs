//! The reference service: a small, honest stand-in for the product, built on the public API of
//! `cap-telemetry` alone.
//!
//! It issues, renews, revokes and distributes certificates against an ACME provider, with a job
//! queue, an embedded database and a KEK rotation, so everything that it measures, traces and
//! audits happens. Its README lists what it shows, and where.
//!
//! Layers, from the bottom: data (`audit`, `certificate`, `job`), `store`, external systems
//! (`outbound`, `acme`, `kek`), `app`, jobs (`queue`, `tasks`, `worker`), HTTP (`routes`),
//! [`Service`].
//!
//! # What it does not do
//!
//! It enforces no roles but on the settings page, and keeps its master key in a file. It is not
//! published.

#![forbid(unsafe_code)]

mod accounts;
mod acme;
pub mod acme_server;
mod actor;
mod app;
mod audit;
mod certificate;
mod config;
mod failure;
mod gauges;
mod ids;
mod job;
mod kek;
mod license;
mod names;
mod outbound;
mod queue;
mod replica;
mod routes;
mod scheduler;
mod secret_file;
mod service;
mod settings;
mod store;
mod sync;
mod tasks;
mod worker;

pub use acme::Endpoint;
pub use config::Config;
pub use service::{Service, StartError};
pub use store::{AuditLog, Location};
