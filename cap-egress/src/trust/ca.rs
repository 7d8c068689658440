//! CA certificates as an operator pastes them, and what can be wrong with the text.

use rustls::RootCertStore;
use rustls::pki_types::pem::{self, PemObject, SectionKind};

/// Adds every certificate in `text` and says how many there were.
pub(super) fn add(roots: &mut RootCertStore, text: &[u8]) -> Result<usize, CaProblem> {
    // YAML and forms indent. The PEM reader skips a section whose marker does not start its line, and with it a
    // certificate.
    let lines: Vec<&[u8]> = text
        .split(|b| *b == b'\n')
        .map(<[u8]>::trim_ascii)
        .collect();
    let text = lines.join(&b'\n');
    // By marker and not by section: the reader does not know every kind of key ("ENCRYPTED PRIVATE KEY").
    if count(&text, b"PRIVATE KEY-----") > 0 {
        return Err(CaProblem::PrivateKey);
    }
    let mut added = 0;
    for section in <(SectionKind, Vec<u8>)>::pem_slice_iter(&text) {
        let number = added + 1;
        let (kind, der) = section.map_err(|source| CaProblem::Pem { number, source })?;
        if kind == SectionKind::Certificate {
            roots
                .add(der.into())
                .map_err(|source| CaProblem::Certificate { number, source })?;
            added += 1;
        }
    }
    match added {
        0 => Err(CaProblem::NoCertificate),
        _ if added < count(&text, b"-----BEGIN CERTIFICATE-----") => Err(CaProblem::Markers),
        _ => Ok(added),
    }
}

fn count(text: &[u8], marker: &[u8]) -> usize {
    text.windows(marker.len())
        .filter(|window| *window == marker)
        .count()
}

/// What is wrong with a CA text. Never holds the text, which may be a secret pasted by mistake.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CaProblem {
    #[error(
        "the CA setting holds no certificate; paste PEM text that starts with -----BEGIN CERTIFICATE-----"
    )]
    NoCertificate,
    #[error(
        "the CA setting holds a private key; paste the certificate only, and treat the key as disclosed"
    )]
    PrivateKey,
    #[error(
        "certificate {number} of the CA setting is not valid PEM; paste it again, with its line breaks and both marker lines"
    )]
    Pem { number: usize, source: pem::Error },
    #[error(
        "a marker line of the CA setting is not on a line of its own; paste the certificates again, with their line breaks"
    )]
    Markers,
    #[error(
        "certificate {number} of the CA setting is valid PEM but not a certificate; paste it again"
    )]
    Certificate {
        number: usize,
        source: rustls::Error,
    },
}
