//! Whether a server requested a client certificate.
//!
//! The answer separates the meanings of the alert `handshake_failure` of TLS 1.2.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// The part of the client certificate in a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientCertificate {
    NotAskedFor,
    Missing,
    Shown,
}

tokio::task_local! {
    static IN_THIS_HANDSHAKE: Cell<ClientCertificate>;
}

/// Awaits a handshake, and returns with it the part of the client certificate.
pub(crate) async fn observe<T>(handshake: impl Future<Output = T>) -> (T, ClientCertificate) {
    let observed = async { (handshake.await, IN_THIS_HANDSHAKE.with(Cell::get)) };
    let start = Cell::new(ClientCertificate::NotAskedFor);
    IN_THIS_HANDSHAKE.scope(start, observed).await
}

/// Notes a server's request for a certificate, and leaves the answer to another resolver.
///
/// One resolver serves all handshakes, because rustls resumes a session only with the resolver with
/// which the session began.
#[derive(Debug)]
pub(super) struct ObservedResolver(pub(super) Arc<dyn ResolvesClientCert>);

impl ResolvesClientCert for ObservedResolver {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let certificate = self.0.resolve(issuers, schemes);
        let noted = match certificate {
            Some(_) => ClientCertificate::Shown,
            None => ClientCertificate::Missing,
        };
        // Fails in a handshake that is not observed, by a user of `Trust::client_config`.
        let _ = IN_THIS_HANDSHAKE.try_with(|in_this| in_this.set(noted));
        certificate
    }

    fn only_raw_public_keys(&self) -> bool {
        self.0.only_raw_public_keys()
    }

    fn has_certs(&self) -> bool {
        self.0.has_certs()
    }
}
