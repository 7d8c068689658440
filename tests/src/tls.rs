//! A TLS client, to test receivers with.

use crate::authority::{Authority, Identity};
use rustls::RootCertStore;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::sync::Arc;

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
) -> std::io::Result<tokio_rustls::client::TlsStream<S>>
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("the provider has both versions")
        .with_root_certificates(roots(authority));
    let config = match identity.map(der) {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => (builder.with_client_auth_cert(chain, key)).expect("its key"),
    };
    let name = "localhost".try_into().expect("a name");
    tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
}
