//! `https` and `grpcs`: TLS from the first byte, and only to a collector that a trusted authority vouches for.

use std::io::Read as _;
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use cap_egress::{Connector, Guard, Policy, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::PrivatePkcs8KeyDer;
use tokio_rustls::TlsAcceptor;

use crate::collector::Collector;
use crate::support::{LONG, connector, jobs, pipe_to};

/// A private authority in PEM, and a collector's side of TLS that it vouches for and that speaks one protocol.
fn authority(alpn: &str) -> (String, TlsAcceptor) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(["127.0.0.1".to_owned()])
        .unwrap()
        .signed_by(&key, &issuer)
        .unwrap();
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .unwrap();
    config.alpn_protocols = vec![alpn.into()];
    (issuer.pem(), TlsAcceptor::from(Arc::new(config)))
}

#[test]
fn a_private_authority_is_trusted_when_configured_and_only_then() {
    for (scheme, alpn) in [("https", "http/1.1"), ("grpcs", "h2")] {
        let (ca, acceptor) = authority(alpn);
        let (collector, address) = Collector::start_with([], Some(acceptor));
        let endpoint = format!("{scheme}://{address}");

        let stranger = pipe_to(&endpoint, connector(), |config| {
            config.retry_for = std::time::Duration::from_millis(100);
        });
        jobs(&stranger, 2);
        let stats = stranger.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed), (0, 2), "{stats}");

        let trust = Trust::system_with_ca(ca.as_bytes()).unwrap();
        let guarded = Connector::new(Guard::new(Policy::default()), trust);
        let tracer = pipe_to(&endpoint, guarded, |_| {});
        jobs(&tracer, 2);
        let stats = tracer.shutdown(LONG);
        assert_eq!((stats.exported, stats.failed), (2, 0), "{stats}");
        assert_eq!(collector.spans().len(), 2);
        let over_http2 = collector.path_and_headers().0.contains("TraceService");
        assert_eq!(over_http2, scheme == "grpcs");
    }
}

#[test]
fn the_first_bytes_on_the_wire_are_a_client_hello() {
    for scheme in ["https", "grpcs"] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let endpoint = format!("{scheme}://{}", listener.local_addr().unwrap());
        let tracer = pipe_to(&endpoint, connector(), |_| {});
        jobs(&tracer, 1);
        let mut wire = listener.accept().unwrap().0;
        let mut record = [0; 5];
        wire.read_exact(&mut record).unwrap();
        // A record of type handshake (RFC 8446, 5.1) whose message is a ClientHello (4).
        assert_eq!(record[..2], [22, 3], "{scheme}");
        let mut message = vec![0; usize::from(u16::from_be_bytes([record[3], record[4]]))];
        wire.read_exact(&mut message).unwrap();
        assert_eq!(message[0], 1, "{scheme}");
        // Nothing follows it before the server has spoken.
        wire.set_nonblocking(true).unwrap();
        let after = wire.read(&mut [0]).unwrap_err();
        assert_eq!(after.kind(), std::io::ErrorKind::WouldBlock, "{scheme}");
        tracer.shutdown(std::time::Duration::ZERO);
    }
}
