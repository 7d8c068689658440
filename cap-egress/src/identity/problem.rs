//! What is wrong with a client certificate or its key.

use crate::trust::pem::PemProblem;

/// What is wrong with a client certificate or its key. It never contains either text.
#[derive(Debug, thiserror::Error)]
pub(crate) enum IdentityProblem {
    #[error("the client certificate setting {0}")]
    Chain(PemProblem),
    #[error(
        "the client key setting holds no private key; paste PEM text that starts with -----BEGIN PRIVATE KEY-----"
    )]
    NoKey,
    #[error("the client key setting holds a certificate; paste the private key that belongs to it")]
    CertificateForKey,
    #[error(
        "the client key setting holds a key that is not valid PEM; paste it again, with its line breaks and both marker lines"
    )]
    MalformedKey,
    #[error(
        "the client key setting holds an encrypted key; paste it decrypted, as `openssl pkey` writes it"
    )]
    EncryptedKey,
    #[error(
        "the client key is not that of the first client certificate; paste the two that belong together, the client's own certificate first"
    )]
    OtherKey,
    #[error(
        "certificate {number} of the client certificate setting is not the issuer of the one before it; paste the client's own certificate first, then its issuer's, and so on"
    )]
    Order { number: usize },
    #[error("the client certificate and key cannot be used; give an RSA, ECDSA or Ed25519 key")]
    Unusable { source: rustls::Error },
}

impl IdentityProblem {
    pub(crate) fn is_key(&self) -> bool {
        matches!(
            self,
            Self::NoKey
                | Self::CertificateForKey
                | Self::MalformedKey
                | Self::EncryptedKey
                // rustls's error for a key that it cannot load.
                | Self::Unusable { source: rustls::Error::General(_) }
        )
    }
}
