//! The public interface of the guard: the table of addresses, and real sockets on loopback.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking, too")]

mod addresses;
mod datagrams;
mod dialing;
mod embeddings;
mod handshakes;
mod hosts;
mod http;
mod identity;
mod keys;
mod logging;
mod nat64;
mod support;
mod table;
mod tls;
