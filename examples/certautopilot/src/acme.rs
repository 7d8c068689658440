//! Getting certificates from an ACME-like provider.
//!
//! The exchange is that of RFC 8555 without accounts, nonces, signatures and challenges: directory, order, finalize, download,
//! revoke. That is enough for every external call to be a real one, and too little for a public provider.

mod client;
mod request;
pub(crate) mod wire;

pub(crate) use client::{Acme, PROVIDER};
pub(crate) use request::{Requested, fingerprint, leaf_expiry};
