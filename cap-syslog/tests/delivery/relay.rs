//! Relays of the tests' own: blocking, and doing exactly what a test says.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{BoundedDuration, BufferSize, Config, Event, Forwarder, Framing, Tls, Transport};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

pub(crate) const LONG: Duration = Duration::from_secs(20);

pub(crate) fn config(to: SocketAddr) -> Config {
    let mut config = Config::new(to.try_into().expect("a port"));
    config.grace = bounded(Duration::from_millis(100));
    config
}

pub(crate) fn bounded<const MIN: u64>(duration: Duration) -> BoundedDuration<MIN> {
    duration.try_into().expect("in bounds")
}

pub(crate) fn events(count: usize) -> BufferSize {
    count.try_into().expect("in bounds")
}

pub(crate) fn forwarder(to: SocketAddr, change: impl FnOnce(&mut Config)) -> Forwarder {
    let mut config = config(to);
    change(&mut config);
    Forwarder::builder(config, Guard::new(Policy::default()))
        .start()
        .expect("a sound configuration")
}

/// A listener that gives up waiting for what never comes.
pub(crate) fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    // For accepting, and inherited for reading by what was accepted.
    let socket = socket2::SockRef::from(&listener);
    socket.set_read_timeout(Some(3 * LONG)).expect("a timeout");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

pub(crate) fn event(n: usize) -> Event {
    Event::new(
        format!("e{n}"),
        "auth.login",
        Actor::user("alice"),
        "Logged in",
    )
}

/// The `event_id` of a record.
pub(crate) fn id(record: &str) -> String {
    let (_, rest) = record.split_once("event_id=\"").expect("an event id");
    rest.split('"').next().expect("its end").to_owned()
}

/// Reads octet-counted records until `done` says so or the peer closes; the event ids in order.
pub(crate) fn read_ids(
    stream: &mut impl Read,
    mut done: impl FnMut(&[String]) -> bool,
) -> Vec<String> {
    let mut ids = Vec::new();
    let mut buffered = Vec::new();
    let mut chunk = [0; 16 * 1024];
    loop {
        while let Some(space) = buffered.iter().position(|b| *b == b' ') {
            let length: usize = std::str::from_utf8(&buffered[..space])
                .expect("digits")
                .parse()
                .expect("a length");
            if buffered.len() < space + 1 + length {
                break;
            }
            let frame: Vec<u8> = buffered.drain(..space + 1 + length).collect();
            let record = String::from_utf8(frame[space + 1..].to_vec()).expect("UTF-8");
            ids.push(id(&record));
        }
        if done(&ids) {
            return ids;
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return ids,
            Ok(n) => buffered.extend_from_slice(&chunk[..n]),
        }
    }
}

/// The event ids of all octet-counted records until the peer closes, read as fast as they come.
pub(crate) fn read_all_ids(mut stream: impl Read) -> Vec<String> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    read_ids(&mut &all[..], |_| false)
}

pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < LONG, "{what} did not happen");
        std::thread::yield_now();
    }
}

pub(crate) fn closes(forwarder: &Forwarder) {
    let s = forwarder.status();
    assert_eq!(s.enqueued, s.delivered + s.dropped + s.queued, "{s:?}");
}

/// A relay's side of TLS, for `127.0.0.1`, and what a client needs to trust it.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    pub(crate) server: Arc<ServerConfig>,
}

/// Whom a relay lets in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clients {
    Anyone,
    /// Those with a certificate of the relay's own authority.
    Certified,
}

impl Authority {
    pub(crate) fn new(clients: Clients) -> Self {
        let mut params = CertificateParams::default();
        params
            .distinguished_name
            .push(DnType::CommonName, "the authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let issuer = CertifiedIssuer::self_signed(params, key).expect("an authority");

        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &issuer).expect("signed");
        let chain = vec![certificate.der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");

        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut roots = RootCertStore::empty();
        roots.add(issuer.der().clone()).expect("a root");
        let verifier = match clients {
            Clients::Anyone => WebPkiClientVerifier::no_client_auth(),
            Clients::Certified => {
                WebPkiClientVerifier::builder_with_provider(roots.into(), Arc::clone(&provider))
                    .build()
                    .expect("a verifier")
            }
        };
        let server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier)
            .with_single_cert(chain, key)
            .expect("a certificate");
        Authority {
            issuer,
            server: Arc::new(server),
        }
    }

    /// TLS that trusts this authority.
    pub(crate) fn transport(&self) -> Transport {
        let mut tls = Tls::default();
        tls.ca_pem = Some(self.issuer.pem());
        Transport::Tls(Framing::default(), tls)
    }

    /// A client's certificate and its key, in PEM.
    pub(crate) fn client(&self) -> (String, String) {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec!["client".to_owned()]).expect("a name");
        let certificate = params.signed_by(&key, &self.issuer).expect("signed");
        (certificate.pem(), key.serialize_pem())
    }

    /// The relay's end of the next connection. The handshake happens with the first read.
    pub(crate) fn accept(
        &self,
        listener: &TcpListener,
    ) -> StreamOwned<ServerConnection, TcpStream> {
        let (stream, _) = listener.accept().expect("a connection");
        let connection = ServerConnection::new(Arc::clone(&self.server)).expect("a server");
        StreamOwned::new(connection, stream)
    }
}
