//! Both sides of TLS for receivers and test clients.

use crate::authority::{Authority, Identity};
use rustls::crypto::ring;
use rustls::server::WebPkiClientVerifier;
use rustls::{ALL_VERSIONS, ClientConfig, ServerConfig, SupportedProtocolVersion};
use std::io;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// How clients reach a receiver.
#[derive(Clone, Copy, Debug)]
pub enum Security<'a> {
    /// Without TLS.
    Plain,
    /// Over TLS 1.2 or 1.3. The receiver shows this certificate.
    Tls(&'a Identity),
    /// Over TLS, for clients with a certificate of the authority.
    MutualTls(&'a Identity, &'a Authority),
}

impl Security<'_> {
    /// The receiver's side of the handshake; none for [`Plain`](Self::Plain).
    pub fn acceptor(self, alpn: &[&[u8]]) -> Option<TlsAcceptor> {
        let mut config = match self {
            Self::Plain => return None,
            Self::Tls(identity) => server_config(identity, None, ALL_VERSIONS),
            Self::MutualTls(identity, clients) => {
                server_config(identity, Some(clients), ALL_VERSIONS)
            }
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Some(TlsAcceptor::from(Arc::new(config)))
    }
}

/// A server's side of TLS, for any client or for those with a certificate of `clients`.
pub fn server_config(
    identity: &Identity,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let provider = Arc::new(ring::default_provider());
    let verifier = match clients {
        None => WebPkiClientVerifier::no_client_auth(),
        Some(authority) => {
            let roots = Arc::new(authority.roots());
            let verifier =
                WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&provider));
            verifier.build().expect("the store has a root")
        }
    };
    let (chain, key) = identity.der();
    ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(versions)
        .expect("the provider has the versions")
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .expect("the key is the certificate's")
}

/// The side of a client that trusts `authority` alone and shows `identity`, if it has one.
pub fn client_config(authority: &Authority, identity: Option<&Identity>) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has both versions")
        .with_root_certificates(authority.roots());
    match identity.map(Identity::der) {
        None => builder.with_no_client_auth(),
        Some((chain, key)) => {
            (builder.with_client_auth_cert(chain, key)).expect("the key is the certificate's")
        }
    }
}

/// Shakes hands over `stream` as a client of `localhost` with [`client_config`].
///
/// # Errors
/// When the handshake fails.
pub async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    authority: &Authority,
    identity: Option<&Identity>,
    alpn: &[&[u8]],
) -> io::Result<TlsStream<S>> {
    let mut config = client_config(authority, identity);
    config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
    let name = "localhost".try_into().expect("a name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}
