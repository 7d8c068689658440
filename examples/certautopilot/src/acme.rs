//! Certificates from an ACME provider (RFC 8555), with DNS-01 as the proof.
//!
//! instant-acme speaks the protocol. Its requests go through `outbound`, which guards, traces and
//! measures each one.

use cap_telemetry::names::closed_enum;

mod account;
mod calls;
mod client;
mod dns;
mod request;

pub(crate) use account::Accounts;
pub(crate) use client::Acme;
pub(crate) use dns::Dns;
pub(crate) use request::{Requested, expiry, fingerprint, leaf};

/// The label of the `provider` and of the `issuer_type`.
pub(crate) const PROVIDER: &str = "acme";

closed_enum! {
    /// The operations of a provider (RFC 8555, section 7.1), as the label of a call. `Unknown` is
    /// for a URL that no answer had named.
    #[allow(missing_docs)] // the standard describes them
    pub enum Endpoint: "ACME endpoint" {
        Directory = "directory",
        NewNonce = "new-nonce",
        NewAccount = "new-account",
        NewOrder = "new-order",
        Order = "order",
        Authorization = "authorization",
        Challenge = "challenge",
        Finalize = "finalize",
        Certificate = "certificate",
        Revoke = "revoke-cert",
        Unknown = "unknown",
    }
}
