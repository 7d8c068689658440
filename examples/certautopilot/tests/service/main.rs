//! The service over its HTTP surface and as a process, against a provider that fails on request.

#![allow(clippy::unwrap_used)] // all of this is a test, its helpers too

mod audit;
mod backfill;
mod folder;
mod harness;
mod jobs;
mod kek;
mod process;
mod provider;
mod replicas;
mod settings;
