//! The pipeline over real sockets, to collectors of the tests.

#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod client;
mod conventions;
mod export;
mod faults;
mod grpc;
mod sampling;
mod support;
mod tls;
