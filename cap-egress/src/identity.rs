//! The client's certificate chain and private key, for servers that request them (mutual TLS).

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::crypto::ring;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use rustls::sign::CertifiedKey;

use crate::Error;
use crate::error::Kind;
use crate::trust::certificate;
use crate::trust::pem;

mod problem;

pub(crate) use problem::IdentityProblem;

/// A client certificate with its chain and private key.
///
/// `Debug` shows neither certificates nor key.
#[derive(Clone)]
pub struct ClientIdentity(Arc<CertifiedKey>);

impl ClientIdentity {
    /// Reads both from PEM text.
    ///
    /// `chain` has the client's own certificate first, then its issuer's, and so on. `key` is in
    /// PKCS #8, PKCS #1 or SEC 1, and not encrypted.
    ///
    /// # Errors
    ///
    /// - A text is not PEM, or contains something else.
    /// - A certificate has expired, is not valid yet, or is not the issuer of the one before it.
    /// - The key is encrypted, is neither RSA, ECDSA nor Ed25519, or is not that of the first
    ///   certificate.
    ///
    /// [`Error::is_client_key`] separates problems of the key from those of the certificates.
    pub fn from_pem(chain: &[u8], key: &[u8]) -> Result<Self, Error> {
        read(chain, key, SystemTime::now())
            .map(|certified| Self(Arc::new(certified)))
            .map_err(|problem| Kind::Identity(problem).into())
    }

    pub(crate) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.0)
    }
}

impl fmt::Debug for ClientIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientIdentity")
            .field("certificates", &self.0.cert.len())
            .finish_non_exhaustive()
    }
}

fn read(chain: &[u8], key: &[u8], now: SystemTime) -> Result<CertifiedKey, IdentityProblem> {
    let chain = pem::certificates(chain, now).map_err(IdentityProblem::Chain)?;
    let text = pem::trimmed(key);
    if pem::count(&text, b"ENCRYPTED PRIVATE KEY-----") > 0
        || pem::count(&text, b"Proc-Type: 4,ENCRYPTED") > 0
    {
        return Err(IdentityProblem::EncryptedKey);
    }
    let key = PrivateKeyDer::from_pem_slice(&text).map_err(|_| {
        if pem::holds_private_key(&text) {
            IdentityProblem::MalformedKey
        } else if pem::count(&text, b"-----BEGIN CERTIFICATE-----") > 0 {
            IdentityProblem::CertificateForKey
        } else {
            IdentityProblem::NoKey
        }
    })?;
    // Reported after a key that does not match: a wrong first certificate is the most common
    // mistake, and the key shows it more clearly.
    let unordered =
        chain.windows(2).position(|pair| !certificate::is_issued_by(&pair[0], &pair[1]));
    let certified = CertifiedKey::from_der(chain, key, &ring::default_provider()).map_err(
        |source| match source {
            rustls::Error::InconsistentKeys(_) => IdentityProblem::OtherKey,
            source => IdentityProblem::Unusable { source },
        },
    )?;
    match unordered {
        Some(before) => Err(IdentityProblem::Order { number: before + 2 }),
        None => Ok(certified),
    }
}
