//! Relays for these tests: blocking, and each does exactly what its test says.

use std::io::Read;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use cap_egress::{Guard, Policy};
use cap_names::Actor;
use cap_syslog::{BoundedDuration, BufferSize, Config, Event, Forwarder, Framing, Tls, Transport};
use cap_testkit::tls::server_config;
use cap_testkit::{Authority, Deframer, Identity, LONG, RelayFraming};
use rustls::{ALL_VERSIONS, ServerConfig, ServerConnection, StreamOwned};

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

/// A listener whose waits have a bound.
pub(crate) fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    // Accepted connections inherit it for reading.
    let socket = socket2::SockRef::from(&listener);
    socket.set_read_timeout(Some(3 * LONG)).expect("a timeout");
    let address = listener.local_addr().expect("bound");
    (listener, address)
}

pub(crate) fn event(n: usize) -> Event {
    Event::new(format!("e{n}"), "auth.login", Actor::user("alice"), "Logged in")
}

/// The `event_id` of a record.
pub(crate) fn id(record: &str) -> String {
    let (_, rest) = record.split_once("event_id=\"").expect("an event id");
    rest.split('"').next().expect("its end").to_owned()
}

/// Reads octet-counted records until `done` holds or the peer closes; the event ids in order.
pub(crate) fn read_ids(
    stream: &mut impl Read,
    mut done: impl FnMut(&[String]) -> bool,
) -> Vec<String> {
    let mut ids = Vec::new();
    let mut frames = Deframer::new(RelayFraming::OctetCounting);
    let mut chunk = [0; 16 * 1024];
    loop {
        while let Some(frame) = frames.next().expect("octet counting") {
            ids.push(id(str::from_utf8(&frame).expect("UTF-8")));
        }
        if done(&ids) {
            return ids;
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return ids,
            Ok(n) => frames.buffer().extend_from_slice(&chunk[..n]),
        }
    }
}

/// Accepts one connection on a thread of its own and reads from it as [`read_ids`] does.
pub(crate) fn reader(
    listener: TcpListener,
    done: impl FnMut(&[String]) -> bool + Send + 'static,
) -> JoinHandle<Vec<String>> {
    thread::spawn(move || read_ids(&mut listener.accept().expect("a connection").0, done))
}

/// The event ids of all octet-counted records until the peer closes. It reads as fast as it can.
pub(crate) fn read_all_ids(mut stream: impl Read) -> Vec<String> {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    read_ids(&mut &all[..], |_| false)
}

pub(crate) fn closes(forwarder: &Forwarder) {
    let s = forwarder.status();
    assert_eq!(s.enqueued, s.delivered + s.dropped + s.queued, "{s:?}");
}

/// The TLS of a relay at `127.0.0.1`, and what a client needs to trust it.
pub(crate) struct TlsRelay {
    authority: Authority,
    pub(crate) server: Arc<ServerConfig>,
}

impl TlsRelay {
    /// A relay that lets every client in.
    pub(crate) fn open() -> Self {
        Self::with(Authority::new(), false)
    }

    /// A relay that lets clients in which have a certificate of its authority.
    pub(crate) fn certified() -> Self {
        Self::with(Authority::new(), true)
    }

    fn with(authority: Authority, certified: bool) -> Self {
        let identity = authority.server_for(&["127.0.0.1"]);
        let clients = certified.then_some(&authority);
        let server = server_config(&identity, clients, ALL_VERSIONS);
        Self { server: Arc::new(server), authority }
    }

    /// TLS that trusts the relay.
    pub(crate) fn transport(&self) -> Transport {
        let mut tls = Tls::default();
        tls.ca_pem = Some(self.authority.ca_pem());
        Transport::Tls(Framing::default(), tls)
    }

    /// The certificate of a client that the relay lets in.
    pub(crate) fn client(&self) -> Identity {
        self.authority.client("client")
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
