//! Certificates as an operator pastes them, and the problems of such a text.

use std::time::SystemTime;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject, SectionKind};

use super::certificate::{self, OutOfDate};

/// The certificates in `text`, in their order: at least one, and each valid at `now`.
pub(crate) fn certificates(
    text: &[u8],
    now: SystemTime,
) -> Result<Vec<CertificateDer<'static>>, PemProblem> {
    let text = trimmed(text);
    // By marker, because the PEM reader does not know every kind of key: ENCRYPTED PRIVATE KEY.
    if holds_private_key(&text) {
        return Err(PemProblem::PrivateKey);
    }
    let mut found: Vec<CertificateDer<'static>> = Vec::new();
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&text) {
        let number = found.len() + 1;
        let (kind, der) = section.map_err(|source| PemProblem::Pem { number, source })?;
        if kind == SectionKind::Certificate {
            let certificate = der.into();
            certificate::check_validity(&certificate, now)
                .map_err(|problem| PemProblem::OutOfDate { number, problem })?;
            found.push(certificate);
        }
    }
    match found.len() {
        0 => Err(PemProblem::NoCertificate),
        read if read < count(&text, b"-----BEGIN CERTIFICATE-----") => Err(PemProblem::Markers),
        _ => Ok(found),
    }
}

/// The text without white space around its lines, which YAML and forms add.
///
/// The PEM reader skips a section whose marker does not start its line.
pub(crate) fn trimmed(text: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split(|b| *b == b'\n').map(<[u8]>::trim_ascii).collect();
    lines.join(&b'\n')
}

pub(crate) fn holds_private_key(text: &[u8]) -> bool {
    count(text, b"PRIVATE KEY-----") > 0
}

pub(crate) fn count(text: &[u8], marker: &[u8]) -> usize {
    text.windows(marker.len()).filter(|window| *window == marker).count()
}

/// What is wrong with a text of certificates.
///
/// It never contains the text, which may be a secret pasted by mistake. The name of the setting
/// precedes each message.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PemProblem {
    #[error("holds no certificate; paste PEM text that starts with -----BEGIN CERTIFICATE-----")]
    NoCertificate,
    #[error("holds a private key; paste the certificate only, and treat the key as disclosed")]
    PrivateKey,
    #[error(
        "has a marker line that is not on a line of its own; paste the certificates again, with their line breaks"
    )]
    Markers,
    #[error(
        "has a certificate {number} that is not valid PEM; paste it again, with its line breaks and both marker lines"
    )]
    Pem { number: usize, source: pem::Error },
    #[error("has a certificate {number} that is valid PEM but not a certificate; paste it again")]
    Certificate { number: usize, source: rustls::Error },
    #[error(
        "has a certificate {number} that is not valid now: it {problem}; paste its successor, or check this host's clock"
    )]
    OutOfDate { number: usize, problem: OutOfDate },
}
