//! What rsyslog and syslog-ng find wrong with our TLS and we with theirs, by the guard and the
//! forwarder.

use std::time::Duration;

use cap_egress::{ClientIdentity, Guard, Policy, TlsProblem, Trust};
use cap_names::Actor;
use cap_syslog::{Event, Forwarder, Framing, Tls, Transport};
use cap_tests::peers::{Relay, RelayInput, RelayRecord, RelaySoftware};
use cap_tests::require;
use cap_tests::{Authority, Identity, ServerCertificate};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const LONG: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_millis(5);

/// A client, and the result it must get at a relay's input.
struct Case {
    input: RelayInput,
    ca_pem: Option<String>,
    identity: Option<Identity>,
    finds: Option<TlsProblem>,
}

/// The relay's certificate, and its clients.
fn cases(authority: &Authority) -> Vec<(ServerCertificate, Vec<Case>)> {
    let case =
        |input, finds| Case { input, ca_pem: Some(authority.ca_pem()), identity: None, finds };
    let flawed = |finds| vec![case(RelayInput::Tls, Some(finds))];
    let with =
        |identity, finds| Case { identity: Some(identity), ..case(RelayInput::MutualTls, finds) };
    let untrusting =
        Case { ca_pem: None, ..case(RelayInput::Tls, Some(TlsProblem::UnknownAuthority)) };
    let required = Some(TlsProblem::ClientCertificateRequired);
    let refused = Some(TlsProblem::ClientCertificateRefused);
    let good = vec![
        case(RelayInput::Tls, None),
        untrusting,
        case(RelayInput::MutualTls, required),
        with(authority.client("sender"), None),
        with(Authority::new().client("stranger"), refused),
    ];
    vec![
        (ServerCertificate::Good, good),
        (ServerCertificate::WrongName, flawed(TlsProblem::WrongName)),
        (ServerCertificate::Expired, flawed(TlsProblem::Expired)),
        (ServerCertificate::NotYetValid, flawed(TlsProblem::NotYetValid)),
        (ServerCertificate::SelfSigned, flawed(TlsProblem::SelfSigned)),
    ]
}

impl Case {
    fn identity(&self) -> Option<ClientIdentity> {
        self.identity.as_ref().map(|identity| {
            ClientIdentity::from_pem(identity.chain_pem.as_bytes(), identity.key_pem.as_bytes())
                .expect("an identity")
        })
    }

    /// The result for a record that is sent through the guard alone.
    async fn through_the_guard(&self, relay: &Relay, id: &str) -> Option<TlsProblem> {
        let trust = match &self.ca_pem {
            Some(pem) => Trust::system_with_ca(pem.as_bytes()),
            None => Trust::system(),
        };
        let mut trust = trust.expect("roots");
        if let Some(identity) = self.identity() {
            trust = trust.with_client_identity(&identity);
        }
        let addr = relay.addr(self.input);
        let host = addr.ip().to_string().parse().expect("a host");
        let guard = Guard::new(Policy::default());
        let mut stream = match guard.connect_tls(&host, addr.port(), &trust).await {
            Ok(stream) => stream,
            Err(error) => {
                let problem = error.tls_problem().expect("TLS failed");
                assert!(error.to_string().contains(problem.hint()), "{error}");
                return Some(problem);
            }
        };
        let record = format!("<182>1 - h a - - [cap@0 event_id=\"{id}\"] text");
        let frame = format!("{} {record}", record.len());
        // Over TLS 1.3 the relay may have closed by now; its alert comes with the read.
        let _ = stream.write_all(frame.as_bytes()).await;
        let _ = stream.flush().await;
        if self.finds.is_none() {
            // rsyslog closes the descriptor of a connection twice, and whatever got that number in
            // between is closed with it. It opens its output at the first record, so the connection
            // ends after that.
            relay.until(id, LONG, |records| arrived(id, records)).await;
        }
        let _ = stream.shutdown().await;
        let read = tokio::time::timeout(LONG, stream.read(&mut [0])).await;
        match read.expect("the relay ends the connection") {
            Ok(_) => None,
            Err(error) => TlsProblem::find(&error),
        }
    }

    /// The same through the forwarder, by its status.
    async fn through_the_forwarder(&self, relay: &Relay, id: &str) -> Option<TlsProblem> {
        let addr = relay.addr(self.input);
        let host = addr.ip().to_string().parse().expect("a host");
        let mut tls = Tls::default();
        tls.ca_pem.clone_from(&self.ca_pem);
        tls.identity = self.identity();
        let mut config = cap_syslog::Config::new(cap_syslog::Relay::new(
            host,
            addr.port().try_into().expect("a port"),
        ));
        config.transport = Transport::Tls(Framing::OctetCounting, tls);
        let forwarder =
            Forwarder::builder(config, Guard::new(Policy::default())).start().expect("it starts");
        forwarder.enqueue(Event::new(id, "auth.login", Actor::user("a"), "Logged in"));
        let found = async {
            let mut ticks = tokio::time::interval(TICK);
            loop {
                ticks.tick().await;
                let status = forwarder.status();
                let problem = status.last_error.filter(|problem| problem.tls.is_some());
                match self.finds {
                    Some(_) if problem.is_some() => return problem,
                    // A relay that breaks one connection off gets the event again on the next.
                    None if status.delivered == 1 => return None,
                    _ => {}
                }
            }
        };
        let problem = tokio::time::timeout(LONG, found).await;
        let problem = problem.unwrap_or_else(|_| panic!("{:?}", forwarder.status()));
        // A delivered record may be unread, and a connection that is cut off would lose it.
        let drain = match self.finds {
            None => LONG,
            Some(_) => Duration::ZERO,
        };
        tokio::task::block_in_place(|| forwarder.shutdown(drain));
        let problem = problem?;
        let tls = problem.tls.expect("it was asked for");
        assert!(problem.message.contains(tls.hint()), "{problem}");
        Some(tls)
    }
}

fn arrived(id: &str, records: &[RelayRecord]) -> bool {
    (records.iter()).any(|record| record.event_id().as_deref() == Some(id))
}

async fn tells_them_apart(software: RelaySoftware) {
    let program = require!(software.tool());
    let authority = Authority::new();
    for (certificate, cases) in cases(&authority) {
        let identity = authority.server(certificate);
        let relay =
            Relay::start_as(software, &program, &authority, &identity).await.expect("it starts");
        for (number, case) in cases.into_iter().enumerate() {
            let what = format!("{certificate:?}, {:?}, client {number}", case.input);
            let ids = [format!("guard-{number}"), format!("forwarder-{number}")];
            let found = case.through_the_guard(&relay, &ids[0]).await;
            assert_eq!(found, case.finds, "{what}: through the guard");
            let found = case.through_the_forwarder(&relay, &ids[1]).await;
            assert_eq!(found, case.finds, "{what}: through the forwarder");
            for id in &ids {
                if case.finds.is_none() {
                    let event = format!("{what}: {id}");
                    relay.until(event, LONG, |records| arrived(id, records)).await;
                } else {
                    assert!(!arrived(id, &relay.records().expect("records")), "{what}");
                }
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rsyslog_and_we_tell_apart_what_is_wrong_with_a_certificate() {
    tells_them_apart(RelaySoftware::Rsyslog).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn syslog_ng_and_we_tell_apart_what_is_wrong_with_a_certificate() {
    tells_them_apart(RelaySoftware::SyslogNg).await;
}
