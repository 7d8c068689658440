//! What a commit changes in the numbers that are scraped.

use chrono::{DateTime, Utc};

use crate::certificate::CertificateState;
use crate::job::JobKind;

/// What is counted of one certificate.
#[derive(Clone, Debug)]
pub struct CertificateFact {
    /// As stored.
    pub state: CertificateState,
    /// `acme`.
    pub issuer_type: String,
    /// When it expires; `None` before it was issued.
    pub not_after: Option<DateTime<Utc>>,
}

#[derive(Debug)]
pub(super) enum Change {
    /// The certificate with this id is now so.
    Certificate(String, CertificateFact),
    /// A job waits.
    Waiting(JobKind),
    /// A job waits no longer.
    Taken(JobKind),
}
