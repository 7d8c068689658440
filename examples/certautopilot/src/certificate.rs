//! A certificate as the service knows it.

use cap_telemetry::names::closed_enum;
use chrono::{DateTime, Utc};

closed_enum! {
    pub(crate) enum CertificateState: "certificate state" {
        /// Requested, and not issued yet.
        Pending = "pending",
        /// Issued, and its last renewal did not fail.
        Active = "active",
        /// Past its notAfter. Never stored: it follows from the time.
        Expired = "expired",
        Revoked = "revoked",
        /// Its last renewal was given up.
        RenewalFailed = "renewal_failed",
    }
}

impl CertificateState {
    /// The state at this time of a certificate stored with this state.
    pub(crate) fn at(self, not_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let expires = matches!(self, Self::Active | Self::RenewalFailed);
        let expired = expires && not_after.is_some_and(|end| end <= now);
        if expired { Self::Expired } else { self }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) id: String,
    pub(crate) project: String,
    pub(crate) domain: String,
    pub(crate) issuer_type: String,
    pub(crate) state: CertificateState,
    /// What was issued; `None` while pending.
    pub(crate) issued: Option<Issued>,
    /// Why the last attempt to issue or renew it was given up.
    pub(crate) last_error: Option<String>,
}

/// What an issuer gave out, and the key it is for.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    /// The chain, the certificate first.
    pub(crate) pem: String,
    /// SHA-256 of the certificate, in hexadecimal.
    pub(crate) fingerprint: String,
    pub(crate) not_after: DateTime<Utc>,
    pub(crate) key: WrappedKey,
}

/// A private key, encrypted with a version of the KEK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct WrappedKey {
    pub(crate) wrapped: Vec<u8>,
    pub(crate) kek_version: u32,
}

impl Certificate {
    pub(crate) fn pending(id: &str, project: &str, domain: &str, issuer_type: &str) -> Self {
        Self {
            id: id.to_owned(),
            project: project.to_owned(),
            domain: domain.to_owned(),
            issuer_type: issuer_type.to_owned(),
            state: CertificateState::Pending,
            issued: None,
            last_error: None,
        }
    }
}
