//! The probe against relays that each do one thing wrong.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::thread;
use std::time::{Duration, Instant};

use cap_egress::{Guard, Policy, Resolve, ResolveFuture, TlsProblem};
use cap_syslog::{
    Config, Framing, ProbeCause, ProbeReport, ProbeStage, ProbeVerdict, Tls, Transport,
};

use crate::relay::{TlsRelay, config, event, forwarder, listener, read_ids};

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(future)
}

fn probe(to: SocketAddr, change: impl FnOnce(&mut Config)) -> ProbeReport {
    let mut config = config(to);
    change(&mut config);
    probe_with(config, Policy::default())
}

/// A resolver that knows only `localhost`.
struct Localhost;

impl Resolve for Localhost {
    fn resolve<'a>(&'a self, name: &'a str, _: u16) -> ResolveFuture<'a> {
        let known = name == "localhost";
        Box::pin(async move {
            known
                .then(|| vec![Ipv4Addr::LOCALHOST.into()])
                .ok_or_else(|| std::io::ErrorKind::NotFound.into())
        })
    }
}

fn probe_with(config: Config, policy: Policy) -> ProbeReport {
    let guard = Guard::builder(policy).resolver(Localhost).build();
    let start = Instant::now();
    let probe = block_on(cap_syslog::probe(config, &guard)).expect("sound");
    // Three seconds, and a margin for a loaded machine.
    assert!(start.elapsed() < Duration::from_secs(10));
    assert!(probe.record.contains("syslog.test"), "{}", probe.record);
    probe
}

fn failure(probe: &ProbeReport) -> (ProbeStage, ProbeCause, Option<TlsProblem>) {
    assert_eq!(probe.verdict, ProbeVerdict::Failed, "{probe:?}");
    let failure = probe.failure.as_ref().expect("a reason");
    assert!(!failure.hint.is_empty());
    assert_eq!(probe.steps.last().map(|step| step.stage), Some(failure.stage));
    (failure.stage, failure.cause, failure.tls)
}

/// Serves every connection with `serve`.
fn serve(listener: TcpListener, serve: impl Fn(std::net::TcpStream) + Send + 'static) {
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            serve(stream);
        }
    });
}

/// A relay that accepts this framing and closes on any other.
fn strict(framing: Framing) -> impl Fn(std::net::TcpStream) {
    move |mut stream| {
        let mut first = [0];
        while stream.read_exact(&mut first).is_ok() {
            let counted = first[0].is_ascii_digit();
            if counted != (framing == Framing::OctetCounting) {
                return;
            }
            let mut rest = [0; 4096];
            while stream.read(&mut rest).is_ok_and(|n| n > 0) {}
        }
    }
}

#[test]
fn a_relay_that_takes_the_record_is_confirmed_stage_by_stage() {
    let (listener, address) = listener();
    serve(listener, strict(Framing::OctetCounting));
    let probe = probe(address, |_| {});
    assert_eq!((probe.verdict, probe.failure), (ProbeVerdict::Confirmed, None));
    let stages: Vec<_> = probe.steps.iter().map(|step| step.stage).collect();
    // An address is not resolved.
    use ProbeStage::{Confirmed, Connect, Policy, Write};
    assert_eq!(stages, [Policy, Connect, Write, Confirmed]);
}

#[test]
fn a_test_leaves_the_running_forwarder_alone() {
    let (listener, address) = listener();
    let forwarder = forwarder(address, |_| {});
    forwarder.enqueue(event(1));
    let (mut events, _) = listener.accept().expect("a connection");
    serve(listener, strict(Framing::OctetCounting));
    let probe = block_on(forwarder.probe());
    assert_eq!(probe.verdict, ProbeVerdict::Confirmed);
    forwarder.enqueue(event(2));
    assert_eq!(read_ids(&mut events, |ids| ids.len() == 2), ["e1", "e2"]);
    assert_eq!(forwarder.status().enqueued, 2);
    let json = serde_json::to_value(&probe).expect("it serializes");
    assert_eq!(json["verdict"], "confirmed");
    assert_eq!(json["steps"][0]["stage"], "policy");
}

#[test]
fn a_wrong_framing_is_reported_with_the_right_one() {
    for right in [Framing::OctetCounting, Framing::Newline] {
        let (listener, address) = listener();
        serve(listener, strict(right));
        let (wrong, word) = match right {
            Framing::OctetCounting => (Framing::Newline, "octet-counting"),
            _ => (Framing::OctetCounting, "newline"),
        };
        let probe = probe(address, |c| c.transport = Transport::Tcp(wrong));
        assert_eq!(failure(&probe), (ProbeStage::Confirmed, ProbeCause::Framing, None));
        let hint = probe.failure.expect("a reason").hint;
        assert!(hint.contains(word), "{hint}");
    }
}

#[test]
fn closing_on_any_record_is_told_from_another_framing() {
    let (listener, address) = listener();
    serve(listener, |mut stream| {
        let _ = stream.read(&mut [0]);
    });
    let probe = probe(address, |_| {});
    assert_eq!(failure(&probe), (ProbeStage::Confirmed, ProbeCause::Closed, None));
}

/// A TLS relay that handles each connection on its own, as relays do.
fn tls_relay(relay: TlsRelay) -> (SocketAddr, TlsRelay) {
    let (listener, address) = listener();
    let server = std::sync::Arc::clone(&relay.server);
    serve(listener, move |stream| {
        let connection = rustls::ServerConnection::new(server.clone()).expect("a server");
        let mut stream = rustls::StreamOwned::new(connection, stream);
        thread::spawn(move || {
            let mut rest = [0; 4096];
            while stream.read(&mut rest).is_ok_and(|n| n > 0) {}
            let _ = stream.flush();
        });
    });
    (address, relay)
}

#[test]
fn plaintext_to_tls_and_tls_to_plaintext_are_recognized() {
    let (address, _) = tls_relay(TlsRelay::open());
    let probe_ = probe(address, |_| {});
    assert_eq!(failure(&probe_), (ProbeStage::Confirmed, ProbeCause::TlsExpected, None));

    // It reads forever and never answers.
    let (listener, address) = listener();
    serve(listener, |mut stream| while stream.read(&mut [0; 4096]).is_ok_and(|n| n > 0) {});
    let tls = Transport::Tls(Framing::default(), Tls::default());
    let probe = probe(address, |c| c.transport = tls);
    assert_eq!(failure(&probe), (ProbeStage::Tls, ProbeCause::Tls, Some(TlsProblem::NotTls)));
}

#[test]
fn trust_and_client_certificates_are_reported() {
    let (address, peer) = tls_relay(TlsRelay::open());
    let confirmed = probe(address, |c| c.transport = peer.transport());
    assert_eq!(confirmed.verdict, ProbeVerdict::Confirmed);

    let untrusted = Transport::Tls(Framing::default(), Tls::default());
    let probe_ = probe(address, |c| c.transport = untrusted);
    assert_eq!(
        failure(&probe_),
        (ProbeStage::Tls, ProbeCause::Tls, Some(TlsProblem::UnknownAuthority))
    );

    let (address, peer) = tls_relay(TlsRelay::certified());
    let probe = probe(address, |c| c.transport = peer.transport());
    assert_eq!(
        failure(&probe),
        (ProbeStage::Confirmed, ProbeCause::Tls, Some(TlsProblem::ClientCertificateRequired))
    );
}

#[test]
fn a_certificate_for_another_name_is_reported() {
    let (listener, address) = listener();
    let peer = TlsRelay::open();
    let server = std::sync::Arc::clone(&peer.server);
    serve(listener, move |mut stream| {
        let mut connection = rustls::ServerConnection::new(server.clone()).expect("a server");
        let _ = connection.complete_io(&mut stream);
    });
    let mut config = config(address);
    config.relay.host = "localhost".parse().expect("a name");
    config.transport = peer.transport();
    let probe = probe_with(config, Policy::default());
    assert_eq!(failure(&probe), (ProbeStage::Tls, ProbeCause::Tls, Some(TlsProblem::WrongName)));
}

#[test]
fn refused_denied_and_unknown_relays_show_no_address() {
    let (listener, address) = listener();
    drop(listener);
    let mut to = config(address);
    to.relay.host = "localhost".parse().expect("a name");
    let refused = probe_with(to.clone(), Policy::default());
    assert_eq!(failure(&refused).1, ProbeCause::Refused);

    let deny = ["127.0.0.0/8", "::1/128"].map(|net| net.parse().expect("a network"));
    let denied = probe_with(to.clone(), Policy::default().with_denied(deny.to_vec()));
    assert_eq!(failure(&denied), (ProbeStage::Policy, ProbeCause::Denied, None));

    to.relay.host = "no-such-relay.invalid".parse().expect("a name");
    let unknown = probe_with(to, Policy::default());
    assert_eq!(failure(&unknown).1, ProbeCause::NotResolved);

    for probe in [refused, denied, unknown] {
        let text = serde_json::to_string(&probe).expect("it serializes");
        assert!(!text.contains("127.0.0.1") && !text.contains("::1"), "{text}");
    }
}

#[test]
fn a_datagram_is_not_confirmed_and_a_closed_port_is_noticed() {
    let socket = UdpSocket::bind("127.0.0.1:0").expect("a free port");
    let address = socket.local_addr().expect("bound");
    let sent = probe(address, |c| c.transport = Transport::Udp);
    assert_eq!(sent.verdict, ProbeVerdict::Sent);
    let mut datagram = [0; 4096];
    assert!(socket.recv(&mut datagram).expect("a datagram") > 0);

    drop(socket);
    let closed = probe(address, |c| c.transport = Transport::Udp);
    assert_eq!(failure(&closed), (ProbeStage::Write, ProbeCause::Refused, None));
}
