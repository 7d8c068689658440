//! The subject, issuer and validity of a certificate. Verification is left to rustls.

use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// Whether the certificate names itself as its issuer.
pub(super) fn is_self_issued(der: &CertificateDer<'_>) -> bool {
    is_issued_by(der, der)
}

/// Whether the certificate names `issuer` as its issuer.
pub(crate) fn is_issued_by(der: &CertificateDer<'_>, issuer: &CertificateDer<'_>) -> bool {
    match (Certificate::from_der(der), Certificate::from_der(issuer)) {
        (Ok(certificate), Ok(issuer)) => {
            certificate.tbs_certificate().issuer() == issuer.tbs_certificate().subject()
        }
        _ => false,
    }
}

/// Why a certificate is not valid now.
#[derive(Debug)]
pub(crate) struct OutOfDate {
    subject: String,
    when: When,
}

#[derive(Debug)]
enum When {
    Expired(String),
    NotYet(String),
}

impl std::fmt::Display for OutOfDate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { subject, when } = self;
        match when {
            When::Expired(at) => write!(f, "({subject}) expired at {at}"),
            When::NotYet(at) => write!(f, "({subject}) is not valid before {at}"),
        }
    }
}

/// A certificate that cannot be decoded passes, because rustls reports it later.
pub(super) fn check_validity(der: &CertificateDer<'_>, now: SystemTime) -> Result<(), OutOfDate> {
    let Ok(certificate) = Certificate::from_der(der) else {
        return Ok(());
    };
    let signed = certificate.tbs_certificate();
    let validity = signed.validity();
    let when = if validity.not_after.to_system_time() < now {
        When::Expired(validity.not_after.to_string())
    } else if validity.not_before.to_system_time() > now {
        When::NotYet(validity.not_before.to_string())
    } else {
        return Ok(());
    };
    Err(OutOfDate { subject: signed.subject().to_string(), when })
}
