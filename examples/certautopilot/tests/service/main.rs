//! The service over its HTTP surface and as a process, against a provider that fails on request.

#![allow(clippy::unwrap_used)] // all of this is a test, its helpers too

mod audit;
mod harness;
mod jobs;
mod process;
mod provider;
mod replicas;
mod settings;
