//! Certificates from an ACME provider (RFC 8555), with DNS-01 as the proof.
//!
//! instant-acme speaks the protocol. Its requests go through [`Outbound`](crate::outbound::Outbound),
//! which guards, traces and measures each one.

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
    /// The operations of a provider (RFC 8555, section 7.1), as the label of a call.
    pub enum Endpoint: "ACME endpoint" {
        /// Get the URLs of the others.
        Directory = "directory",
        /// Get a nonce for the first signed request.
        NewNonce = "new-nonce",
        /// Register an account key.
        NewAccount = "new-account",
        /// Order a certificate.
        NewOrder = "new-order",
        /// Poll an order.
        Order = "order",
        /// Get what has to be proven for a name.
        Authorization = "authorization",
        /// Announce a proof.
        Challenge = "challenge",
        /// Send the signing request.
        Finalize = "finalize",
        /// Download the certificate.
        Certificate = "certificate",
        /// Revoke a certificate.
        Revoke = "revoke-cert",
        /// A URL that no answer had named.
        Unknown = "unknown",
    }
}
