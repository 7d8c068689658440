//! The reference service: a small, honest stand-in for the product, built on the public API of
//! `cap-telemetry` alone.
//!
//! It issues, renews, revokes and distributes certificates against an ACME provider, with a job
//! queue, an embedded database and a KEK rotation, so everything that it measures, traces and
//! audits happens. Its README lists what it shows, and where, and what it does not do.
//!
//! Layers, from the bottom: data (`audit`, `certificate`, `job`), `store`, external systems
//! (`outbound`, `acme`, `kek`), `app`, jobs (`tasks`, `worker`), HTTP (`routes`), [`Service`].

#![forbid(unsafe_code)]

mod accounts;
mod acme;
pub mod acme_server;
mod app;
mod audit;
mod beside;
mod certificate;
mod config;
mod failure;
mod gauges;
mod ids;
mod job;
mod kek;
mod names;
mod outbound;
mod replica;
mod routes;
mod service;
mod settings;
mod store;
mod sync;
mod tasks;
mod worker;

pub use acme::Endpoint;
pub use config::Config;
pub use service::{Service, StartError};
pub use store::AuditLog;
