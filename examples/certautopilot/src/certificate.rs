//! A certificate as the service knows it.

use cap_telemetry::names::closed_enum;
use chrono::{DateTime, Utc};

closed_enum! {
    /// The state of a certificate.
    pub enum CertificateState: "certificate state" {
        /// Requested, and not issued yet.
        Pending = "pending",
        /// Issued, and its last renewal did not fail.
        Active = "active",
        /// Past its notAfter. Never stored: it follows from the time.
        Expired = "expired",
        /// Revoked.
        Revoked = "revoked",
        /// Its last renewal was given up.
        RenewalFailed = "renewal_failed",
    }
}

impl CertificateState {
    /// The state at this time of a certificate stored with this state.
    pub fn at(self, not_after: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Self {
        let expires = matches!(self, Self::Active | Self::RenewalFailed);
        let expired = expires && not_after.is_some_and(|end| end <= now);
        if expired { Self::Expired } else { self }
    }
}

/// A certificate.
#[derive(Clone, Debug)]
pub struct Certificate {
    /// Its id.
    pub id: String,
    /// The project it belongs to.
    pub project: String,
    /// The name it is for.
    pub domain: String,
    /// `acme`.
    pub issuer_type: String,
    /// As stored.
    pub state: CertificateState,
    /// What was issued; `None` while pending.
    pub issued: Option<Issued>,
    /// Why the last attempt to issue or renew it was given up.
    pub last_error: Option<String>,
}

/// What an issuer gave out, and the key it is for.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The chain, the certificate first.
    pub pem: String,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: String,
    /// When it expires.
    pub not_after: DateTime<Utc>,
    /// The private key.
    pub key: SealedKey,
}

/// A private key, encrypted with a data key that a key-encryption key wraps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedKey {
    /// The private key under the data key.
    pub sealed: Vec<u8>,
    /// The data key under the KEK.
    pub wrapped: Vec<u8>,
    /// The version of the KEK.
    pub kek_version: u32,
}

impl Certificate {
    /// A certificate that is requested, and not issued yet.
    pub fn pending(id: &str, project: &str, domain: &str, issuer_type: &str) -> Self {
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
