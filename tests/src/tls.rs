//! Our receivers' side of TLS, and a client to test them with.

use crate::authority::{Authority, Identity};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig};
use std::sync::Arc;
use tokio_rustls::TlsAcceptor;

/// How a receiver of ours is reached.
#[derive(Clone, Copy, Debug)]
pub enum Security<'a> {
    /// Without TLS.
    Plain,
    /// Over TLS 1.2 or 1.3; it shows this certificate.
    Tls(&'a Identity),
    /// Over TLS, for clients with a certificate of the authority.
    MutualTls(&'a Identity, &'a Authority),
}

impl Security<'_> {
    /// The receiver's side of the handshake, where there is one.
    pub(crate) fn acceptor(self, alpn: &[&[u8]]) -> Option<TlsAcceptor> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("the provider has both versions");
        let (builder, identity) = match self {
            Self::Plain => return None,
            Self::Tls(identity) => (builder.with_no_client_auth(), identity),
            Self::MutualTls(identity, authority) => {
                let roots = Arc::new(roots(authority));
                let clients = WebPkiClientVerifier::builder_with_provider(roots, provider);
                let clients = clients.build().expect("it has a root");
                (builder.with_client_cert_verifier(clients), identity)
            }
        };
        let (chain, key) = der(identity);
        let mut config =
            (builder.with_single_cert(chain, key)).expect("the key is the certificate's");
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Some(TlsAcceptor::from(Arc::new(config)))
    }
}

fn roots(authority: &Authority) -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let ca = CertificateDer::from_pem_slice(authority.ca_pem().as_bytes()).expect("PEM");
    roots.add(ca).expect("a root");
    roots
}

fn der(identity: &Identity) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let chain = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes());
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes());
    (
        chain.map(|der| der.expect("PEM")).collect(),
        key.expect("PEM"),
    )
}

/// A client of `localhost` that trusts `authority` alone.
pub(crate) async fn connect<S>(
    stream: S,
    authority: &Authority,
    identity: Option<&Identity>,
    alpn: &[&[u8]],
) -> std::io::Result<tokio_rustls::client::TlsStream<S>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has both versions")
        .with_root_certificates(roots(authority));
    let mut config = match identity.map(der) {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => (builder.with_client_auth_cert(chain, key)).expect("its key"),
    };
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let name = "localhost".try_into().expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}
