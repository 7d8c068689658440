//! Getting certificates from an ACME provider (RFC 8555), with DNS-01 as the proof.
//!
//! The protocol is instant-acme's. Its requests go through [`Outbound`](crate::outbound::Outbound), so that each is guarded, traced and
//! measured like every other call.

mod account;
mod calls;
mod client;
mod dns;
mod endpoint;
mod request;

pub(crate) use account::Accounts;
pub(crate) use client::{Acme, PROVIDER};
pub(crate) use dns::Dns;
pub use endpoint::Endpoint;
pub(crate) use request::{Requested, fingerprint, leaf, leaf_expiry};
