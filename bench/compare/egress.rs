//! What the guard adds: the check of an address, and the work around a connect and a handshake.

use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, TcpListener};
use std::sync::Arc;

use cap_egress::{Guard, Host, Policy, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivatePkcs8KeyDer, ServerName};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use crate::harness::{Bench, Case};

/// At most 1.05 times as long.
const FLOOR: f64 = 1.0 / 1.05;

pub(crate) fn run(bench: &mut Bench) {
    let runtime = runtime();
    checking(bench, &runtime);
    connecting(bench, &runtime);
    shaking_hands(bench, &runtime);
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

/// A server that closes each connection at once.
fn closing_server() -> std::net::SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || listener.incoming().for_each(drop));
    address
}

fn connect_plainly(runtime: &Runtime, address: std::net::SocketAddr, count: u64) {
    runtime.block_on(async {
        for _ in 0..count {
            drop(TcpStream::connect(address).await.expect("a connection"));
        }
    });
}

fn checking(bench: &mut Bench, runtime: &Runtime) {
    let address = closing_server();
    let policy = Policy::default();
    let relay: IpAddr = "10.20.30.40".parse().expect("an address");
    bench.compare(
        &Case { case: "check an address", peer: "loopback connect", floor: 100.0 },
        |count| {
            for _ in 0..count {
                let _ = black_box(policy.check(black_box(relay)));
            }
        },
        |count| connect_plainly(runtime, address, count),
    );
}

fn connecting(bench: &mut Bench, runtime: &Runtime) {
    let address = closing_server();
    let guard = Guard::new(Policy::default());
    let host = Host::from(address.ip());
    bench.compare(
        &Case { case: "connect and close", peer: "tokio", floor: FLOOR },
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    let connected = guard.connect(&host, address.port()).await;
                    drop(connected.expect("a connection"));
                }
            });
        },
        |count| connect_plainly(runtime, address, count),
    );
}

/// Full handshakes, as after a restart of the server.
fn shaking_hands(bench: &mut Bench, runtime: &Runtime) {
    let (server, authority) = tls_server();
    let trust = Trust::system_with_ca(authority.as_bytes()).expect("a certificate");
    let guard = Guard::new(Policy::default());
    let host = Host::from(server.ip());
    let plain = TlsConnector::from(trust.client_config(&[]));
    let name = ServerName::from(server.ip());
    bench.compare(
        &Case { case: "connect, TLS handshake and close", peer: "tokio-rustls", floor: 0.95 },
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    let connected = guard.connect_tls(&host, server.port(), &trust).await;
                    drop(connected.expect("a connection"));
                }
            });
        },
        |count| {
            runtime.block_on(async {
                for _ in 0..count {
                    let stream = TcpStream::connect(server).await.expect("a connection");
                    drop(plain.connect(name.clone(), stream).await.expect("a handshake"));
                }
            });
        },
    );
}

/// A server that shakes hands, without tickets, and its authority's certificate.
fn tls_server() -> (std::net::SocketAddr, String) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().expect("a key"))
        .expect("an authority");
    let key = KeyPair::generate().expect("a key");
    let certificate = CertificateParams::new(vec!["127.0.0.1".to_owned()])
        .and_then(|params| params.signed_by(&key, &authority))
        .expect("a certificate");
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(
            vec![certificate.der().clone()],
            PrivatePkcs8KeyDer::from(key.serialize_der()).into(),
        )
        .expect("a server");
    config.send_tls13_tickets = 0;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.set_nonblocking(true).expect("a mode");
    let address = listener.local_addr().expect("bound");
    std::thread::spawn(move || {
        runtime().block_on(async {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            while let Ok((stream, _)) = listener.accept().await {
                drop(acceptor.accept(stream).await);
            }
        });
    });
    (address, authority.pem())
}
