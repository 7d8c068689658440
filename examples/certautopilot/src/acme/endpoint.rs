//! The operations of a provider, as the label of a call.

use cap_telemetry::names::closed_enum;

closed_enum! {
    /// The operations of a provider (RFC 8555, section 7.1).
    pub enum Endpoint: "ACME endpoint" {
        /// Where the others are.
        Directory = "directory",
        /// A nonce for the first signed request.
        NewNonce = "new-nonce",
        /// Register an account key.
        NewAccount = "new-account",
        /// Ask for a certificate.
        NewOrder = "new-order",
        /// How far an order is.
        Order = "order",
        /// What has to be proven for a name.
        Authorization = "authorization",
        /// Say that the proof is in place.
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
