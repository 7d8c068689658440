//! Handshakes with unusual servers: TLS 1.2, refused client certificates, no common cipher suite.

use std::sync::Arc;

use cap_egress::{TlsProblem, Trust};
use cap_testkit::tls::server_config;
use cap_testkit::{Authority, Server, ServerCertificate};
use rustls::SignatureScheme;
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::version::{TLS12, TLS13};
use rustls::{DigitallySignedStruct, DistinguishedName, HandshakeKind, ServerConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

use crate::support::{client, connect, greet, greet_with, trust};

async fn refusal(server: &Server, to: &str, trust: &Trust) -> cap_egress::Error {
    connect(server, to, trust).await.unwrap_err()
}

async fn serve_with(config: ServerConfig) -> Server {
    greet_with(TlsAcceptor::from(Arc::new(config))).await
}

#[tokio::test]
async fn certificates_are_checked_alike_in_tls_1_2_and_1_3() {
    let (authority, stranger) = (Authority::new(), Authority::new());
    for version in [&TLS12, &TLS13] {
        for (issued, expected) in [
            (authority.server_for(&["127.0.0.1"]), None),
            (authority.server_for(&["127.0.0.2"]), Some(TlsProblem::WrongName)),
            (authority.server(ServerCertificate::Expired), Some(TlsProblem::Expired)),
            (stranger.server_for(&["127.0.0.1"]), Some(TlsProblem::UnknownAuthority)),
        ] {
            let server = serve_with(server_config(&issued, None, &[version])).await;
            let connected = connect(&server, "127.0.0.1", &trust(&authority)).await;
            let found = connected.err().map(|error| error.tls_problem().unwrap());
            assert_eq!(found, expected, "{version:?}");
        }
    }
}

#[tokio::test]
async fn the_case_of_a_name_makes_no_difference_on_either_side() {
    let authority = Authority::new();
    for (certified, written) in
        [("Relay.Example", "relay.example"), ("relay.example", "RELAY.example.")]
    {
        let server = greet(&authority, &[certified]).await;
        let connected = connect(&server, written, &trust(&authority)).await;
        assert!(connected.is_ok(), "{certified} {written}");
    }
}

#[tokio::test]
async fn the_spelling_of_an_ipv4_address_does_not_matter_to_tls() {
    let authority = Authority::new();
    let server = greet(&authority, &["127.0.0.1"]).await;
    let connected = connect(&server, "0x7f.1", &trust(&authority)).await;
    assert!(connected.is_ok());
}

#[tokio::test]
async fn an_error_does_not_list_the_names_of_a_certificate() {
    let authority = Authority::new();
    let server = greet(&authority, &["10.98.76.54", "vault.internal"]).await;
    let error = refusal(&server, "relay.example", &trust(&authority)).await;
    assert_eq!(error.tls_problem(), Some(TlsProblem::WrongName));
    let mut shown = format!("{error:?}");
    let mut cause: Option<&dyn std::error::Error> = Some(&error);
    while let Some(error) = cause {
        shown += &error.to_string();
        cause = error.source();
    }
    // As text, and as the octets in the `Debug` form of the certificate's names.
    for secret in ["10.98.76.54", "vault.internal", "98, 76, 54"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[tokio::test]
async fn no_common_cipher_is_not_blamed_on_a_client_certificate() {
    let authority = Authority::new();
    let issued = authority.server_for(&["127.0.0.1"]);
    // The server has an ECDSA certificate and offers only suites for RSA.
    let mut provider = ring::default_provider();
    provider.cipher_suites = vec![ring::cipher_suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256];
    let (chain, key) = issued.der();
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let server = serve_with(config).await;
    let error = refusal(&server, "127.0.0.1", &trust(&authority)).await;
    assert_eq!(error.tls_problem(), Some(TlsProblem::Incompatible));
}

#[tokio::test]
async fn a_failure_after_the_client_certificate_refuses_it() {
    let authority = Authority::new();
    let issued = authority.server_for(&["127.0.0.1"]);
    let (chain, key) = issued.der();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_client_cert_verifier(Arc::new(RefusesAll))
        .with_single_cert(chain, key)
        .unwrap();
    let server = serve_with(config).await;
    let trust = trust(&authority).with_client_identity(&client(&authority));
    let error = refusal(&server, "127.0.0.1", &trust).await;
    assert!(format!("{error:?}").contains("HandshakeFailure"), "{error:?}");
    assert_eq!(error.tls_problem(), Some(TlsProblem::ClientCertificateRefused));
}

/// Requests a certificate and refuses each with `handshake_failure`, as OpenSSL sometimes does in
/// TLS 1.2.
#[derive(Debug)]
struct RefusesAll;

impl ClientCertVerifier for RefusesAll {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Err(rustls::Error::General("not this one".to_owned()))
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("the certificate was refused before")
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        unreachable!("the certificate was refused before")
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        ring::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

#[tokio::test]
async fn a_session_is_not_resumed_with_another_identity() {
    let authority = Authority::new();
    let server = greet(&authority, &["127.0.0.1"]).await;
    let trust = trust(&authority);

    let kind = async |trust: &Trust| {
        let connected = connect(&server, "127.0.0.1", trust).await;
        let mut stream = connected.unwrap();
        // In TLS 1.3 the tickets come after the handshake.
        stream.write_all(b"?").await.unwrap();
        stream.read_to_end(&mut Vec::new()).await.unwrap();
        stream.get_ref().1.handshake_kind().unwrap()
    };
    assert_eq!(kind(&trust).await, HandshakeKind::Full);
    assert_eq!(kind(&trust).await, HandshakeKind::Resumed);
    let known = trust.with_client_identity(&client(&authority));
    assert_eq!(kind(&known).await, HandshakeKind::Full);
    assert_eq!(kind(&known).await, HandshakeKind::Resumed);
}
