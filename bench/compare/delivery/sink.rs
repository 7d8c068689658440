//! A receiver that reads everything and measures how long it took.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread::JoinHandle;
use std::time::Instant;

use super::RECORDS;
use cap_tests::{Authority, ServerCertificate};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, ServerConfig, ServerConnection, StreamOwned,
};

pub(super) struct Sink {
    addr: SocketAddr,
    begin: Sender<()>,
    reading: JoinHandle<f64>,
}

impl Sink {
    /// On a free port, with TLS where an authority is given.
    pub(super) fn start(authority: Option<&Authority>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let addr = listener.local_addr().expect("bound");
        let tls = authority.map(server);
        let (begin, begun) = channel();
        let reading = std::thread::spawn(move || {
            let (stream, _) = listener.accept().expect("a connection");
            match tls {
                None => {
                    let _ = begun.recv();
                    read(stream)
                }
                Some(tls) => {
                    let connection = ServerConnection::new(tls).expect("a server");
                    let mut stream = StreamOwned::new(connection, stream);
                    stream.conn.complete_io(&mut stream.sock).expect("a handshake");
                    let _ = begun.recv();
                    read(stream)
                }
            }
        });
        Sink { addr, begin, reading }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Lets it read.
    pub(super) fn begin(&self) {
        let _ = self.begin.send(());
    }

    pub(super) fn connect(&self, authority: Option<&Authority>) -> Box<dyn Write> {
        let mut stream = TcpStream::connect(self.addr).expect("a connection");
        stream.set_nodelay(true).expect("an option");
        let Some(authority) = authority else {
            return Box::new(stream);
        };
        let mut roots = RootCertStore::empty();
        let ca = CertificateDer::from_pem_slice(authority.ca_pem().as_bytes());
        roots.add(ca.expect("a certificate")).expect("a root");
        let config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::from(self.addr.ip());
        let mut connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        connection.set_buffer_limit(None);
        connection.complete_io(&mut stream).expect("a handshake");
        Box::new(StreamOwned::new(connection, stream))
    }

    /// Waits until the sender has closed.
    pub(super) fn nanoseconds_per_record(self) -> f64 {
        self.reading.join().expect("no panic") / RECORDS as f64
    }
}

/// The nanoseconds from the first byte to the last.
fn read(mut stream: impl Read) -> f64 {
    let mut buffer = vec![0; 1 << 20];
    stream.read_exact(&mut buffer[..1]).expect("a first byte");
    let start = Instant::now();
    let mut last = start;
    while let Ok(1..) = stream.read(&mut buffer) {
        last = Instant::now();
    }
    (last - start).as_nanos() as f64
}

fn server(authority: &Authority) -> Arc<ServerConfig> {
    let identity = authority.server(ServerCertificate::Good);
    let chain = CertificateDer::pem_slice_iter(identity.chain_pem.as_bytes());
    let chain = chain.collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).expect("a key");
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .expect("a certificate");
    Arc::new(config)
}

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::ring::default_provider())
}
