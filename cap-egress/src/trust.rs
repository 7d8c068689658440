//! The certificate authorities that may sign a TLS server's certificate, and the client's own
//! certificate.

use std::fmt;
use std::sync::Arc;
use std::time::SystemTime;

use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls::sign::SingleCertAndKey;
use rustls::{ClientConfig, RootCertStore};

use crate::error::Kind;
use crate::{ClientIdentity, Error};

pub(crate) mod certificate;
mod client_auth;
pub(crate) mod pem;
mod system;
mod verify;

use client_auth::ObservedResolver;
pub(crate) use client_auth::{ClientCertificate, observe};
use pem::PemProblem;
pub(crate) use verify::SelfSigned;
use verify::Verifier;

/// The system's trust store, an operator's own certificate authorities, and the client's
/// certificate for servers that request one.
///
/// If the system has no store at all, as in a container built from scratch, the public roots of
/// Mozilla's program take its place. A store that exists and cannot be read is an error, so that a
/// mistyped path never widens trust.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` replace the default places of the system's store, as they do
/// for OpenSSL, Go and curl. No feature flag and no process-wide default changes trust. Nothing
/// switches verification off.
///
/// Loading reads files and blocks for some milliseconds. Load once, and clone.
#[derive(Clone)]
pub struct Trust {
    config: Arc<ClientConfig>,
    system_roots: usize,
    added_roots: usize,
}

impl Trust {
    /// The system's trust store.
    ///
    /// # Errors
    ///
    /// The store exists, but contains no usable certificate.
    pub fn system() -> Result<Self, Error> {
        let roots = system::roots()?;
        Self::with_roots(roots, 0)
    }

    /// The system's trust store and the CA certificates in `pem`, at least one.
    ///
    /// Text around the certificates is skipped, and white space at either end of a line.
    ///
    /// # Errors
    ///
    /// As [`Trust::system`], and if `pem` contains:
    ///
    /// - no certificate;
    /// - a certificate that cannot be decoded, has expired or is not valid yet;
    /// - a private key.
    pub fn system_with_ca(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = system::roots()?;
        let added_roots = add(&mut roots, pem, SystemTime::now()).map_err(Kind::Ca)?;
        Self::with_roots(roots, added_roots)
    }

    /// The same trust, for a client that shows this certificate to servers that request one.
    #[must_use]
    pub fn with_client_identity(mut self, identity: &ClientIdentity) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        let identity = SingleCertAndKey::from(identity.certified());
        config.client_auth_cert_resolver = Arc::new(ObservedResolver(Arc::new(identity)));
        // An earlier session would be resumed without the certificate.
        config.resumption = Resumption::default();
        self.config = Arc::new(config);
        self
    }

    /// A TLS 1.2 and 1.3 client configuration with this trust, which offers the protocols of
    /// `alpn`, most preferred first.
    ///
    /// Each call makes its own session cache.
    pub fn client_config(&self, alpn: &[&[u8]]) -> Arc<ClientConfig> {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        config.resumption = Resumption::default();
        Arc::new(config)
    }

    pub(crate) fn config_without_alpn(&self) -> Arc<ClientConfig> {
        Arc::clone(&self.config)
    }

    fn with_roots(roots: RootCertStore, added_roots: usize) -> Result<Self, Error> {
        let system_roots = roots.len() - added_roots;
        // ring builds everywhere with only a C compiler. It is named here because the process-wide
        // default may be absent or another crate's choice.
        let provider = Arc::new(ring::default_provider());
        let verifier =
            WebPkiServerVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
                .build()
                .map_err(|source| Kind::TlsSetup {
                    source: rustls::Error::General(source.to_string()),
                })?;
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|source| Kind::TlsSetup { source })?;
        #[expect(
            clippy::disallowed_methods,
            reason = "the verifier is rustls's own, and accepts what that accepts"
        )]
        let mut config = config
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Verifier(verifier)))
            .with_no_client_auth();
        config.client_auth_cert_resolver =
            Arc::new(ObservedResolver(config.client_auth_cert_resolver));
        Ok(Self { config: Arc::new(config), system_roots, added_roots })
    }
}

/// Adds every certificate in `pem` and returns their number.
fn add(roots: &mut RootCertStore, pem: &[u8], now: SystemTime) -> Result<usize, PemProblem> {
    let certificates: Vec<CertificateDer<'static>> = pem::certificates(pem, now)?;
    let added = certificates.len();
    for (number, certificate) in (1..).zip(certificates) {
        roots.add(certificate).map_err(|source| PemProblem::Certificate { number, source })?;
    }
    Ok(added)
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("system_roots", &self.system_roots)
            .field("added_roots", &self.added_roots)
            .field("client_identity", &self.config.client_auth_cert_resolver.has_certs())
            .finish_non_exhaustive()
    }
}
