//! Which certificate authorities a TLS server's certificate may come from.

use std::fmt;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::ring;
use rustls::{ClientConfig, RootCertStore};

use crate::Error;
use crate::error::Kind;

mod ca;
mod system;

pub(crate) use ca::CaProblem;

/// The system's trust store, with an operator's own certificate authorities where there are any.
///
/// Where the system has no store at all (a container built from scratch), the public roots of Mozilla's programme stand
/// in for it. A store that exists but cannot be read is an error instead, so that a mistyped path never widens trust.
///
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` say where the system's store is, as they do for OpenSSL, Go and curl; they
/// replace the default places. No feature flag and no process-wide default changes trust.
///
/// Loading reads files and blocks for some milliseconds: do it once, and clone.
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
    /// The store exists, but no certificate in it can be used.
    pub fn system() -> Result<Self, Error> {
        let roots = system::roots()?;
        Self::with_roots(roots, 0)
    }

    /// The system's trust store, and the one or more CA certificates in `pem`.
    ///
    /// Text around the certificates, and white space at either end of a line, is skipped.
    ///
    /// # Errors
    ///
    /// As [`Trust::system`], or `pem` holds no certificate, holds one that cannot be decoded, or holds a private key.
    pub fn system_with_ca(pem: &[u8]) -> Result<Self, Error> {
        let mut roots = system::roots()?;
        let added_roots = ca::add(&mut roots, pem).map_err(Kind::Ca)?;
        Self::with_roots(roots, added_roots)
    }

    /// A TLS client configuration with this trust, TLS 1.2 and 1.3, no client certificate, and these protocols offered
    /// in the handshake, most wanted first. Each call has its own session cache.
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
        // The provider is named, because a process-wide default may be absent or another crate's choice.
        let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(|source| Kind::TlsSetup { source })?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            config: Arc::new(config),
            system_roots,
            added_roots,
        })
    }
}

impl fmt::Debug for Trust {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trust")
            .field("system_roots", &self.system_roots)
            .field("added_roots", &self.added_roots)
            .finish_non_exhaustive()
    }
}
