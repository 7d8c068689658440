//! A private certificate authority, and TLS servers that it vouches for.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, Certificate, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair,
    date_time_ymd,
};
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::server::danger::ClientCertVerifier;
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::LOOPBACK;

pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new(name: &str) -> Self {
        Self::with(name, Leaf::For(&[]).params())
    }

    pub(crate) fn expired(name: &str) -> Self {
        Self::with(name, Leaf::Expired.params())
    }

    fn with(name: &str, mut params: CertificateParams) -> Self {
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, name);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn pem(&self) -> String {
        self.0.pem()
    }

    pub(crate) fn key_pem(&self) -> String {
        self.0.key().serialize_pem()
    }

    /// A server's side of TLS, with a certificate for these names and addresses.
    pub(crate) fn acceptor(&self, names: &[&str], alpn: &[&[u8]]) -> TlsAcceptor {
        let mut config = server(&self.issue(Leaf::For(names)), None, rustls::ALL_VERSIONS);
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        TlsAcceptor::from(Arc::new(config))
    }

    /// A certificate that it vouches for.
    pub(crate) fn issue(&self, leaf: Leaf<'_>) -> Issued {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf.params().signed_by(&key, &self.0).unwrap();
        Issued { certificate, key }
    }

    /// A server that takes only clients that it vouches for.
    pub(crate) fn server_for_own_clients(
        &self,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ServerConfig {
        server(&self.issue(Leaf::For(&["127.0.0.1"])), Some(self), versions)
    }

    fn client_verifier(&self) -> Arc<dyn ClientCertVerifier> {
        let mut roots = RootCertStore::empty();
        roots.add(self.0.der().clone()).unwrap();
        let provider = Arc::new(ring::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .unwrap()
    }

    /// Answers the first byte of every connection with "hello", and gives the port.
    pub(crate) async fn serve_greetings(&self, names: &[&str]) -> u16 {
        serve(self.acceptor(names, &[])).await
    }
}

/// Answers the first byte of every connection with "hello", and gives the port.
pub(crate) async fn serve(acceptor: TlsAcceptor) -> u16 {
    let listener = TcpListener::bind((LOOPBACK, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            tokio::spawn(async move {
                let mut stream = acceptor.accept(stream).await?;
                stream.read_u8().await?;
                stream.write_all(b"hello").await?;
                stream.shutdown().await
            });
        }
    });
    port
}
/// What a certificate is for.
pub(crate) enum Leaf<'a> {
    For(&'a [&'a str]),
    Expired,
    NotYetValid,
}

impl Leaf<'_> {
    pub(crate) fn params(&self) -> CertificateParams {
        let names: &[&str] = match self {
            Self::For(names) => names,
            _ => &["127.0.0.1"],
        };
        let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = CertificateParams::new(names).unwrap();
        match self {
            Self::For(_) => {}
            Self::Expired => params.not_after = date_time_ymd(2020, 1, 2),
            Self::NotYetValid => params.not_before = date_time_ymd(3020, 1, 2),
        }
        params
    }
}

pub(crate) struct Issued {
    pub(crate) certificate: Certificate,
    pub(crate) key: KeyPair,
}

/// One that vouches for itself.
pub(crate) fn self_signed(is_ca: IsCa) -> Issued {
    let mut params = Leaf::For(&["127.0.0.1"]).params();
    params.is_ca = is_ca;
    params
        .distinguished_name
        .push(DnType::CommonName, "appliance");
    let key = KeyPair::generate().unwrap();
    let certificate = params.self_signed(&key).unwrap();
    Issued { certificate, key }
}

/// A server's side of TLS, for any client or for those that an authority vouches for.
pub(crate) fn server(
    issued: &Issued,
    clients: Option<&Authority>,
    versions: &[&'static SupportedProtocolVersion],
) -> ServerConfig {
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap();
    let config = match clients {
        Some(authority) => config.with_client_cert_verifier(authority.client_verifier()),
        None => config.with_no_client_auth(),
    };
    let key = PrivatePkcs8KeyDer::from(issued.key.serialize_der());
    config
        .with_single_cert(vec![issued.certificate.der().clone()], key.into())
        .unwrap()
}
