//! Which addresses are dialed, over real sockets on loopback.

use std::net::SocketAddr;
use std::time::Duration;

use cap_egress::{DenialClass, Guard, Policy, Stage};
use tokio::time::Instant;

use crate::support::{LOOPBACK, Script, Silent, Tripwire, host, ips};

fn guard(script: &Script) -> Guard {
    Guard::builder(Policy::default()).resolver(script.clone()).build()
}

fn count(guard: &Guard, class: DenialClass) -> u64 {
    guard.denials()[&class]
}

#[tokio::test]
async fn a_loopback_listener_is_reached_by_default() {
    let listener = Tripwire::set();
    let stream =
        Guard::new(Policy::default()).connect(&host("127.0.0.1"), listener.port()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), SocketAddr::new(LOOPBACK, listener.port()));
    assert!(!listener.is_untouched());
}

#[tokio::test]
async fn a_name_is_resolved_by_the_system_and_dialed() {
    let listener = Tripwire::set();
    let stream = Guard::new(Policy::default()).connect(&host("localhost"), listener.port()).await;
    assert_eq!(stream.unwrap().peer_addr().unwrap().ip(), LOOPBACK);
}

#[tokio::test]
async fn metadata_in_any_spelling_is_refused_without_resolving() {
    let script = Script::default();
    let guard = guard(&script);
    let spellings = [
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "169.254.169.254.",
        "[::ffff:169.254.169.254]",
        "64:ff9b::a9fe:a9fe",
    ];
    for written in spellings {
        let error = guard.connect(&host(written), 80).await.unwrap_err();
        assert!(error.is_denied(), "{written}: {error}");
        assert_eq!(error.stage(), Stage::Policy);
        assert_eq!(error.denial().unwrap().class(), DenialClass::Metadata);
    }
    assert_eq!(count(&guard.clone(), DenialClass::Metadata), spellings.len() as u64);
    assert_eq!(script.asked(), 0);
}

#[tokio::test]
async fn a_denied_address_receives_no_connection_in_any_spelling() {
    let listener = Tripwire::set();
    let denied = vec!["127.0.0.0/8".parse().unwrap()];
    let guard = Guard::new(Policy::default().with_denied(denied));
    for written in [
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "[::ffff:127.0.0.1]",
        "localhost",
    ] {
        let error = guard.connect(&host(written), listener.port()).await.unwrap_err();
        assert_eq!(error.denial().map(|d| d.class()), Some(DenialClass::Configured), "{written}");
    }
    assert!(listener.is_untouched());
}

#[tokio::test]
async fn one_denied_answer_refuses_the_name_and_nothing_is_dialed() {
    for answers in [
        ["127.0.0.1", "169.254.169.254"],
        ["169.254.169.254", "127.0.0.1"],
        ["127.0.0.1", "::ffff:169.254.169.254"],
        ["127.0.0.1", "fe80::1"],
    ] {
        let listener = Tripwire::set();
        let guard = guard(&Script::answering([ips(&answers)]));
        let error = guard.connect(&host("relay.example"), listener.port()).await.unwrap_err();
        assert!(error.is_denied(), "{answers:?}");
        assert!(listener.is_untouched(), "{answers:?}");
    }
}

#[tokio::test]
async fn only_a_checked_address_is_dialed_and_each_connect_checks() {
    let listener = Tripwire::set();
    let script = Script::answering([ips(&["127.0.0.1"]), ips(&["169.254.169.254"])]);
    let guard = guard(&script);
    let relay = host("rebinding.example");

    let stream = guard.connect(&relay, listener.port()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), LOOPBACK);
    assert_eq!(script.asked(), 1, "nothing resolves a second time between checking and dialing");

    let error = guard.connect(&relay, listener.port()).await.unwrap_err();
    assert_eq!(error.denial().unwrap().class(), DenialClass::Metadata);
}

#[tokio::test]
async fn a_metadata_name_is_refused_before_it_is_resolved() {
    let script = Script::default();
    let error = guard(&script).connect(&host("Metadata.Google.Internal."), 80).await.unwrap_err();
    assert_eq!(error.denial().unwrap().class(), DenialClass::Name);
    assert_eq!(script.asked(), 0);
}

#[tokio::test]
async fn a_refusal_names_the_configured_host_not_its_address() {
    let guard = guard(&Script::answering([ips(&["169.254.77.78"])]));
    let error = guard.connect(&host("relay.example"), 514).await.unwrap_err();
    let (said, debugged) = (error.to_string(), format!("{error:?}"));
    assert!(said.contains("relay.example:514"), "{said}");
    assert!(said.contains("`egress.allow`"), "{said}");
    assert!(!said.contains("169.254.77.78") && !debugged.contains("169.254.77.78"), "{debugged}");
}

#[tokio::test]
async fn the_next_checked_address_is_tried_when_one_refuses() {
    let listener = Tripwire::set();
    let guard = guard(&Script::answering([ips(&["127.0.0.2", "127.0.0.1"])]));
    let stream = guard.connect(&host("relay.example"), listener.port()).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), LOOPBACK);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_address_that_drops_packets_does_not_block_the_next() {
    // A listener with a full accept queue drops further connects, as a firewall would.
    let answering = Tripwire::set();
    let port = answering.port();
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 2], port))).unwrap();
    let _swallowing = socket.listen(1).unwrap();
    let impatient =
        Guard::builder(Policy::default()).connect_timeout(Duration::from_millis(200)).build();
    let mut queued = Vec::new();
    let full = loop {
        match impatient.connect(&host("127.0.0.2"), port).await {
            Ok(stream) => queued.push(stream),
            Err(error) => break error,
        }
    };
    assert!(full.is_timeout() && full.stage() == Stage::Connect);

    let guard = Guard::builder(Policy::default())
        .resolver(Script::answering([ips(&["127.0.0.2", "127.0.0.1"])]))
        .connect_timeout(Duration::from_secs(3600))
        .build();
    let stream = guard.connect(&host("relay.example"), port).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap().ip(), LOOPBACK);
}

#[tokio::test]
async fn a_closed_port_is_a_connect_error_that_keeps_its_source() {
    let port = Tripwire::set().port();
    let error = Guard::new(Policy::default()).connect(&host("127.0.0.1"), port).await.unwrap_err();
    assert_eq!(error.stage(), Stage::Connect);
    assert!(!error.is_denied() && !error.is_timeout() && !error.is_tls());
    let source = std::error::Error::source(&error)
        .and_then(|source| source.downcast_ref::<std::io::Error>());
    assert_eq!(source.unwrap().kind(), std::io::ErrorKind::ConnectionRefused);
    assert!(error.to_string().contains(&format!("127.0.0.1:{port} cannot be reached")), "{error}");
}

#[tokio::test]
async fn no_address_and_a_failing_resolver_are_resolve_errors() {
    for script in [Script::answering([vec![]]), Script::default()] {
        let error = guard(&script).connect(&host("relay.example"), 514).await.unwrap_err();
        assert_eq!(error.stage(), Stage::Resolve);
        assert!(error.to_string().contains("relay.example:514"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_hangs_ends_with_the_connect_timeout() {
    let started = Instant::now();
    let guard = Guard::builder(Policy::default()).resolver(Silent).build();
    let error = guard.connect(&host("relay.example"), 514).await.unwrap_err();
    assert!(error.is_timeout());
    assert_eq!(error.stage(), Stage::Resolve);
    assert_eq!(started.elapsed().as_secs(), 5, "the default");

    let endless =
        Guard::builder(Policy::default()).resolver(Silent).connect_timeout(Duration::MAX).build();
    let error = endless.connect(&host("relay.example"), 514).await.unwrap_err();
    assert!(error.is_timeout(), "a day is the longest");
}

#[test]
fn a_connect_can_be_spawned() {
    fn spawnable(_: impl Future + Send) {}
    let guard = Guard::new(Policy::default());
    spawnable(guard.connect(&host("127.0.0.1"), 1));
}
