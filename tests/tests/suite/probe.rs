//! The Test against rsyslog and syslog-ng: each fault that can stand between us and them.

use std::time::{Duration, Instant};

use cap_egress::{Guard, Policy, TlsProblem};
use cap_syslog::{
    Config, Framing, ProbeCause, ProbeReport, ProbeStage, ProbeVerdict, Tls, Transport,
};
use cap_tests::peers::{Relay, RelayInput, RelaySoftware};
use cap_tests::require;
use cap_tests::{Authority, ServerCertificate};

/// How long a Test takes at most, with what a loaded machine adds.
const LONGEST: Duration = Duration::from_secs(10);
const LONG: Duration = Duration::from_secs(30);

/// The result of a Test: success, or the stage and the cause of its failure.
type Finding = Result<ProbeVerdict, (ProbeStage, ProbeCause, Option<TlsProblem>)>;

async fn probe(relay: &Relay, input: RelayInput, transport: Transport) -> ProbeReport {
    let to = relay.addr(input);
    let mut config = Config::new(to.try_into().expect("a port"));
    config.transport = transport;
    let start = Instant::now();
    let probe = cap_syslog::probe(config, &Guard::new(Policy::default())).await;
    assert!(start.elapsed() < LONGEST, "{:?}", start.elapsed());
    probe.expect("a sound configuration")
}

fn finding(probe: &ProbeReport) -> Finding {
    match &probe.failure {
        None => Ok(probe.verdict),
        Some(failure) => {
            assert!(!failure.hint.is_empty());
            Err((failure.stage, failure.cause, failure.tls))
        }
    }
}

fn tls(authority: Option<&Authority>) -> Transport {
    let mut tls = Tls::default();
    tls.ca_pem = authority.map(Authority::ca_pem);
    Transport::Tls(Framing::OctetCounting, tls)
}

async fn tells_apart(software: RelaySoftware) {
    let program = require!(software.tool());
    let authority = Authority::new();
    let mut relay = Relay::start(software, &program, &authority).await.expect("it starts");
    let counted = || Transport::Tcp(Framing::OctetCounting);
    let lines = || Transport::Tcp(Framing::Newline);
    let of_tls = |stage, problem| Err((stage, ProbeCause::Tls, Some(problem)));
    let confirmed = Ok(ProbeVerdict::Confirmed);

    let mut taken = 0;
    let wrong_framing = match software {
        // Its imptcp reads lines on the same port.
        RelaySoftware::Rsyslog => confirmed,
        RelaySoftware::SyslogNg => Err((ProbeStage::Confirmed, ProbeCause::Framing, None)),
    };
    // syslog-ng closes on an invalid frame; rsyslog waits for the end of a line.
    let no_tls = match software {
        RelaySoftware::Rsyslog => TlsProblem::NotTls,
        RelaySoftware::SyslogNg => TlsProblem::BrokenOff,
    };
    let rows: [(&str, RelayInput, Transport, Finding); 9] = [
        ("a datagram", RelayInput::Udp, Transport::Udp, Ok(ProbeVerdict::Sent)),
        ("octets", RelayInput::OctetCounting, counted(), confirmed),
        ("lines", RelayInput::Newline, lines(), confirmed),
        ("TLS", RelayInput::Tls, tls(Some(&authority)), confirmed),
        ("wrong framing", RelayInput::OctetCounting, lines(), wrong_framing),
        (
            "no client certificate",
            RelayInput::MutualTls,
            tls(Some(&authority)),
            of_tls(ProbeStage::Confirmed, TlsProblem::ClientCertificateRequired),
        ),
        (
            "unknown authority",
            RelayInput::Tls,
            tls(None),
            of_tls(ProbeStage::Tls, TlsProblem::UnknownAuthority),
        ),
        (
            "TLS to a port without",
            RelayInput::OctetCounting,
            tls(Some(&authority)),
            of_tls(ProbeStage::Tls, no_tls),
        ),
        (
            "no TLS to a port with",
            RelayInput::Tls,
            counted(),
            Err((ProbeStage::Confirmed, ProbeCause::TlsExpected, None)),
        ),
    ];
    for (what, input, transport, expected) in rows {
        let probe = probe(&relay, input, transport).await;
        assert_eq!(finding(&probe), expected, "{what}: {probe:?}");
        if expected.is_err() {
            continue;
        }
        // Not only does the Test say so: the record is there.
        taken += 1;
        let came = |records: &[_]| records.len() == taken;
        relay.until(format!("the record {what}"), LONG, came).await;
    }

    relay.stop().await.expect("it stops");
    let refused = |stage| Err((stage, ProbeCause::Refused, None));
    let closed = probe(&relay, RelayInput::OctetCounting, counted()).await;
    assert_eq!(finding(&closed), refused(ProbeStage::Connect), "{closed:?}");
    let closed = probe(&relay, RelayInput::Udp, Transport::Udp).await;
    assert_eq!(finding(&closed), refused(ProbeStage::Write), "{closed:?}");

    let other = authority.server(ServerCertificate::WrongName);
    let other = Relay::start_as(software, &program, &authority, &other).await.expect("it starts");
    let probe = probe(&other, RelayInput::Tls, tls(Some(&authority))).await;
    let expected = of_tls(ProbeStage::Tls, TlsProblem::WrongName);
    assert_eq!(finding(&probe), expected, "{probe:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_tells_apart_what_is_wrong_with_rsyslog() {
    tells_apart(RelaySoftware::Rsyslog).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_test_tells_apart_what_is_wrong_with_syslog_ng() {
    tells_apart(RelaySoftware::SyslogNg).await;
}
