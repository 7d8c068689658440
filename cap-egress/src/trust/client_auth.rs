//! Whether a server asked for a client certificate, which tells apart what the one alert `handshake_failure` of TLS 1.2 means.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use rustls::SignatureScheme;
use rustls::client::ResolvesClientCert;
use rustls::sign::CertifiedKey;

/// What became of the client certificate in a handshake.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum ClientCertificate {
    NotAskedFor,
    Missing,
    Shown,
}

tokio::task_local! {
    static IN_THIS_HANDSHAKE: Cell<ClientCertificate>;
}

/// Awaits a handshake, and says what the server wanted in it.
pub(crate) async fn observe<T>(handshake: impl Future<Output = T>) -> (T, ClientCertificate) {
    let watched = async { (handshake.await, IN_THIS_HANDSHAKE.with(Cell::get)) };
    let start = Cell::new(ClientCertificate::NotAskedFor);
    IN_THIS_HANDSHAKE.scope(start, watched).await
}

/// Notes that a server asks, and leaves the answer to another.
///
/// Not a new one for each handshake: rustls resumes a session only with the resolver that was there when it began.
#[derive(Debug)]
pub(super) struct ObservedResolver(pub(super) Arc<dyn ResolvesClientCert>);

impl ResolvesClientCert for ObservedResolver {
    fn resolve(&self, issuers: &[&[u8]], schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let certificate = self.0.resolve(issuers, schemes);
        let noted = match certificate {
            Some(_) => ClientCertificate::Shown,
            None => ClientCertificate::Missing,
        };
        // Someone else's handshake with this configuration is none that anyone watches.
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
