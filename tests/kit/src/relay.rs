//! A syslog relay in this process, over UDP, TCP and TLS. It is strict about framing and records,
//! and it can end and come back.

mod framing;

use crate::rfc5424::Record;
use crate::server::{self, Io, Server};
use crate::tls::Security;
use crate::wait;
pub use framing::{Deframer, FrameError, RelayFraming};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UdpSocket;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// A received record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceivedRecord {
    /// The parsed record.
    pub record: Record,
    /// The frame, without its framing.
    pub raw: Vec<u8>,
}

impl ReceivedRecord {
    /// The `event_id` of the first element that has one.
    pub fn event_id(&self) -> Option<&str> {
        (self.record.structured_data.iter()).find_map(|element| element.param("event_id"))
    }
}

/// The state of a relay since its start.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RelayState {
    /// Records, in the order received, duplicates included.
    pub records: Vec<ReceivedRecord>,
    /// The distinct `event_id`s of the records.
    pub event_ids: BTreeSet<String>,
    /// Frames that are no frames and records that are no records, with the reason.
    pub errors: Vec<String>,
    /// Datagrams received since the start; each is a record without a frame.
    pub datagrams: usize,
    /// Connections accepted since the start; those over TLS count once they shook hands.
    pub connections: usize,
    /// Connections open now.
    pub open: usize,
}

/// A syslog relay on loopback, whose port takes connections and datagrams.
#[derive(Debug)]
pub struct SyslogRelay {
    server: Server,
    datagrams: JoinSet<()>,
    state: watch::Sender<RelayState>,
}

impl SyslogRelay {
    /// Starts on a free port, with octet counting.
    ///
    /// # Errors
    /// When no port can be bound.
    pub async fn start() -> io::Result<Self> {
        Self::start_on(server::ANY_PORT).await
    }

    /// Starts on `addr` with octet counting, as a relay does that comes back after a restart.
    ///
    /// # Errors
    /// When `addr` cannot be bound.
    pub async fn start_on(addr: SocketAddr) -> io::Result<Self> {
        Self::start_with(addr, RelayFraming::OctetCounting, Security::Plain).await
    }

    /// Starts on `addr` ([`ANY_PORT`](crate::ANY_PORT) for any) with this framing and security.
    ///
    /// # Errors
    /// When `addr` cannot be bound.
    pub async fn start_with(
        addr: SocketAddr,
        framing: RelayFraming,
        security: Security<'_>,
    ) -> io::Result<Self> {
        let state = watch::Sender::new(RelayState::default());
        let (listener, socket) = server::bind_to(addr, |addr| {
            let listener = server::listen(addr)?;
            let socket = std::net::UdpSocket::bind(addr)?;
            socket.set_nonblocking(true)?;
            Ok((listener, UdpSocket::from_std(socket)?))
        })?;
        let shared = state.clone();
        let server = Server::start(listener, security.acceptor(&[]), move |stream| {
            let state = shared.clone();
            async move {
                let _open = Open::count(&state);
                receive(stream, Deframer::new(framing), &state).await;
            }
        })?;
        let receiving = receive_datagrams(socket, state.clone());
        Ok(Self { server, datagrams: JoinSet::from_iter([receiving]), state })
    }

    /// Where it listens; [`start_on`](Self::start_on) comes back there.
    pub fn addr(&self) -> SocketAddr {
        self.server.addr()
    }

    /// The records so far.
    pub fn records(&self) -> Vec<ReceivedRecord> {
        self.state.borrow().records.clone()
    }

    /// The distinct `event_id`s so far.
    pub fn event_ids(&self) -> BTreeSet<String> {
        self.state.borrow().event_ids.clone()
    }

    /// The invalid frames and records so far, with the reason.
    pub fn errors(&self) -> Vec<String> {
        self.state.borrow().errors.clone()
    }

    /// How many connections were accepted so far.
    pub fn connections(&self) -> usize {
        self.state.borrow().connections
    }

    /// Waits until the relay's state is as wanted.
    ///
    /// # Panics
    /// When it has not within `limit`. The message names `what` and what the relay has seen.
    pub async fn until(
        &self,
        what: impl Display,
        limit: Duration,
        wanted: impl Fn(&RelayState) -> bool,
    ) {
        if !wait::holds(&self.state, wanted, limit).await {
            let state = self.state.borrow();
            let (records, open, errors) = (state.records.len(), state.open, &state.errors);
            panic!(
                "{what} did not come within {limit:?}; {records} records, {open} open connections, errors: {errors:?}"
            );
        }
    }

    /// Closes the listener and every connection, and returns what the relay has seen. Unread bytes
    /// are lost and reset their connection.
    pub async fn stop(mut self) -> RelayState {
        self.server.stop().await;
        self.datagrams.shutdown().await;
        self.state.send_replace(RelayState::default())
    }
}

/// Counts a connection as open while it lives.
struct Open<'a>(&'a watch::Sender<RelayState>);

impl<'a> Open<'a> {
    fn count(state: &'a watch::Sender<RelayState>) -> Self {
        state.send_modify(|state| {
            state.connections += 1;
            state.open += 1;
        });
        Self(state)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|state| state.open -= 1);
    }
}

/// Reads a connection until it ends or breaks the framing. No later byte of a broken stream can be
/// trusted.
async fn receive(mut stream: impl Io, mut frames: Deframer, state: &watch::Sender<RelayState>) {
    while matches!(stream.read_buf(frames.buffer()).await, Ok(1..)) {
        let mut broken = false;
        // One wake-up for the waiting tests per read, not per record.
        state.send_modify(|state| {
            loop {
                match frames.next() {
                    Ok(Some(raw)) => keep(state, raw),
                    Ok(None) => break,
                    Err(FrameError(why)) => {
                        state.errors.push(why);
                        broken = true;
                        break;
                    }
                }
            }
        });
        if broken {
            return;
        }
    }
    // Over TLS the end is said, not just made.
    let _ = stream.shutdown().await;
}

async fn receive_datagrams(socket: UdpSocket, state: watch::Sender<RelayState>) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let Ok(len) = socket.recv(&mut buffer).await else { continue };
        state.send_modify(|state| {
            state.datagrams += 1;
            keep(state, buffer[..len].to_vec());
        });
    }
}

fn keep(state: &mut RelayState, raw: Vec<u8>) {
    match Record::parse(&raw) {
        Ok(record) => {
            let received = ReceivedRecord { record, raw };
            if let Some(id) = received.event_id() {
                state.event_ids.insert(id.to_owned());
            }
            state.records.push(received);
        }
        Err(error) => {
            let raw = String::from_utf8_lossy(&raw).into_owned();
            state.errors.push(format!("{error} in {raw:?}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authority::{Authority, ServerCertificate};
    use crate::server::ANY_PORT;
    use crate::tls;
    use tokio::net::TcpStream;

    const SOON: Duration = Duration::from_secs(5);

    #[expect(clippy::disallowed_methods, reason = "the test is the sender, on loopback")]
    async fn connect(relay: &SyslogRelay) -> TcpStream {
        TcpStream::connect(relay.addr()).await.expect("a connection")
    }

    fn frame(id: &str) -> Vec<u8> {
        let record = format!("<182>1 - h a - - [cap@0 event_id=\"{id}\"] text");
        format!("{} {record}", record.len()).into_bytes()
    }

    #[tokio::test]
    async fn records_keep_their_bytes_and_duplicates_count_once_by_id() {
        let relay = SyslogRelay::start().await.expect("a port");
        let mut stream = connect(&relay).await;
        let bytes = [frame("e1"), frame("e2"), frame("e1")].concat();
        // One byte at a time: frames need not arrive whole.
        for byte in bytes {
            stream.write_all(&[byte]).await.expect("written");
        }
        relay.until("three records", SOON, |state| state.records.len() == 3).await;
        assert_eq!(relay.event_ids().into_iter().collect::<Vec<_>>(), ["e1", "e2"]);
        assert_eq!(relay.records()[0].raw, b"<182>1 - h a - - [cap@0 event_id=\"e1\"] text");
        assert_eq!((relay.connections(), relay.errors().len()), (1, 0));
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the test is the sender, on loopback")]
    async fn a_datagram_is_one_record_whatever_is_in_it() {
        let relay = SyslogRelay::start().await.expect("a port");
        let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
        for datagram in ["<1>1 - - - - - - a\nb", "9 <1>1 - -", "<1>1 - - - - - - c"] {
            let sent = socket.send_to(datagram.as_bytes(), relay.addr()).await;
            sent.expect("sent");
        }
        let all = |state: &RelayState| state.datagrams == 3;
        relay.until("three datagrams", SOON, all).await;
        let messages: Vec<_> = (relay.records().into_iter())
            .map(|received| received.record.msg.expect("a message"))
            .collect();
        assert_eq!(messages, ["a\nb", "c"]);
        assert_eq!((relay.errors().len(), relay.connections()), (1, 0));
    }

    #[tokio::test]
    async fn over_tls_only_who_shook_hands_is_heard() {
        let authority = Authority::new();
        let identity = authority.server(ServerCertificate::Good);
        let security = Security::MutualTls(&identity, &authority);
        let relay = SyslogRelay::start_with(ANY_PORT, RelayFraming::OctetCounting, security)
            .await
            .expect("a port");
        let certificate = authority.client("sender");
        for (identity, heard) in [(None, 0), (Some(&certificate), 1)] {
            let stream = connect(&relay).await;
            let mut stream = tls::connect(stream, &authority, identity, &[])
                .await
                .expect("TLS 1.3 refuses a client later");
            stream.write_all(&frame("e1")).await.expect("written");
            // Ends as the handshake or the relay ends.
            stream.shutdown().await.expect("written");
            let ended = stream.read(&mut [0]).await;
            assert_eq!(ended.is_ok(), heard == 1, "{ended:?}");
            assert_eq!((relay.connections(), relay.records().len()), (heard, heard));
        }
    }

    #[tokio::test]
    async fn a_bad_record_is_an_error_and_a_bad_frame_ends_the_connection() {
        let relay = SyslogRelay::start().await.expect("a port");
        let mut stream = connect(&relay).await;
        stream.write_all(b"5 <1>1 ").await.expect("written");
        stream.write_all(&frame("after")).await.expect("written");
        relay.until("a record", SOON, |state| state.records.len() == 1).await;
        assert_eq!(relay.errors(), [r#"byte 5: the record ends in its header in "<1>1 ""#]);
        stream.write_all(b"<1>1 - - - - - -\n").await.expect("written");
        relay.until("the end of the connection", SOON, |state| state.open == 0).await;
        assert_eq!(relay.errors().len(), 2);
    }

    #[tokio::test]
    async fn a_cut_off_frame_is_never_read_as_a_record() {
        let relay = SyslogRelay::start().await.expect("a port");
        let mut stream = connect(&relay).await;
        let frame = frame("e1");
        stream.write_all(&frame[..frame.len() - 1]).await.expect("written");
        drop(stream);
        let ended = |state: &RelayState| (state.connections, state.open) == (1, 0);
        relay.until("the end of the connection", SOON, ended).await;
        assert_eq!((relay.records().len(), relay.errors().len()), (0, 0));
    }

    #[tokio::test]
    async fn a_stopped_relay_ends_its_connections_and_returns_to_its_port() {
        let relay = SyslogRelay::start().await.expect("a port");
        let addr = relay.addr();
        let mut stream = connect(&relay).await;
        stream.write_all(&frame("e1")).await.expect("written");
        relay.until("a record", SOON, |state| state.records.len() == 1).await;
        let seen = relay.stop().await;
        assert_eq!((seen.records.len(), seen.open), (1, 0));
        assert!(matches!(stream.read(&mut [0]).await, Ok(0) | Err(_)));

        let again = SyslogRelay::start_on(addr).await.expect("the same port at once");
        connect(&again).await.write_all(&frame("e2")).await.expect("written");
        again.until("the event e2", SOON, |state| state.event_ids.contains("e2")).await;
    }
}
