//! The transports of the table: our pipeline, and the receiver at its other end.

use std::net::SocketAddr;
use std::time::Duration;

use cap_egress::{Connector, Guard, Trust};
use cap_names::Actor;
use cap_syslog::{Event, Forwarder, Framing, Relay, Tls};
use cap_tests::{
    ANY_PORT, Authority, Fault, LONG, OtlpReceiver, RelayFraming, Security, ServerCertificate,
    SyslogRelay, until_async,
};
use cap_tracing::{SampleRate, Tracer};

/// How a signal leaves the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    OtlpHttp,
    OtlpGrpc,
    SyslogTcp,
    SyslogTls,
    SyslogUdp,
}

impl Transport {
    pub(super) const ALL: [Self; 5] =
        [Self::OtlpHttp, Self::OtlpGrpc, Self::SyslogTcp, Self::SyslogTls, Self::SyslogUdp];
}

/// The side that may be reached.
pub(super) enum Receiver {
    Otlp(OtlpReceiver),
    Relay(SyslogRelay),
}

impl Receiver {
    pub(super) async fn start(transport: Transport, authority: &Authority) -> Self {
        let identity = authority.server(ServerCertificate::Good);
        let security = match transport {
            Transport::SyslogTls => Security::Tls(&identity),
            _ => Security::Plain,
        };
        match transport {
            Transport::OtlpHttp | Transport::OtlpGrpc => {
                Self::Otlp(OtlpReceiver::start().await.expect("a port"))
            }
            Transport::SyslogTcp | Transport::SyslogTls | Transport::SyslogUdp => {
                let octets = RelayFraming::OctetCounting;
                let relay = SyslogRelay::start_with(ANY_PORT, octets, security).await;
                Self::Relay(relay.expect("a port"))
            }
        }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        match self {
            Self::Otlp(collector) => collector.addr(),
            Self::Relay(relay) => relay.addr(),
        }
    }

    /// Waits for the span or event with this id.
    pub(super) async fn receives(&self, id: &str) {
        match self {
            Self::Otlp(collector) => {
                let there = |spans: &[cap_tests::ReceivedSpan]| {
                    (spans.iter()).any(|span| span.attribute("cap.job.id") == Some(id))
                };
                collector.until(id, LONG, there).await;
            }
            Self::Relay(relay) => {
                let there = |state: &cap_tests::RelayState| state.event_ids.contains(id);
                relay.until(id, LONG, there).await;
            }
        }
    }

    /// Nobody came: not a connection that was let in, not a byte.
    pub(super) fn is_untouched(&self) -> bool {
        match self {
            Self::Otlp(collector) => collector.requests().is_empty(),
            Self::Relay(relay) => relay.connections() == 0 && relay.records().is_empty(),
        }
    }

    /// Answers the next request with a 307 to there.
    pub(super) fn redirect(&self, to: SocketAddr) {
        match self {
            Self::Otlp(collector) => collector.inject(Fault::Redirect(to)),
            Self::Relay(_) => unreachable!("syslog has no answers"),
        }
    }

    pub(super) async fn stop(self) {
        match self {
            Self::Otlp(collector) => drop(collector.stop().await),
            Self::Relay(relay) => drop(relay.stop().await),
        }
    }
}

/// The side that sends.
pub(super) enum Pipeline {
    Traces(Tracer),
    Audit(Forwarder),
}

/// A pipeline's account of itself.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) delivered: u64,
    /// Given up or kept, but not delivered.
    pub(super) undelivered: u64,
    pub(super) last_error: String,
}

impl Pipeline {
    pub(super) fn start(
        transport: Transport,
        host: &str,
        port: u16,
        guard: Guard,
        authority: &Authority,
    ) -> Self {
        let bracketed = match host.contains(':') {
            true => format!("[{host}]"),
            false => host.to_owned(),
        };
        let traces = |scheme| {
            let endpoint = format!("{scheme}://{bracketed}:{port}");
            let mut config = cap_tracing::Config::new(endpoint.parse().expect("an endpoint"));
            config.sample_rate = SampleRate::ALL;
            config.batch_delay = Duration::ZERO;
            let connector = Connector::new(guard.clone(), Trust::system().expect("roots"));
            Self::Traces(Tracer::start(config, connector).expect("it starts"))
        };
        let audit = |transport| {
            let host = host.parse().expect("a host");
            let mut config =
                cap_syslog::Config::new(Relay::new(host, port.try_into().expect("a port")));
            config.transport = transport;
            config.grace = Duration::ZERO.try_into().expect("in bounds");
            Self::Audit(Forwarder::builder(config, guard.clone()).start().expect("it starts"))
        };
        let framing = Framing::OctetCounting;
        match transport {
            Transport::OtlpHttp => traces("http"),
            Transport::OtlpGrpc => traces("grpc"),
            Transport::SyslogTcp => audit(cap_syslog::Transport::Tcp(framing)),
            Transport::SyslogTls => {
                let mut tls = Tls::default();
                tls.ca_pem = Some(authority.ca_pem());
                audit(cap_syslog::Transport::Tls(framing, tls))
            }
            Transport::SyslogUdp => audit(cap_syslog::Transport::Udp),
        }
    }

    pub(super) fn send(&self, id: &str) {
        match self {
            Self::Traces(tracer) => {
                drop(tracer.job("renew", id).start());
            }
            Self::Audit(forwarder) => {
                forwarder.enqueue(Event::new(id, "auth.login", Actor::user("a"), "Logged in"));
            }
        }
    }

    pub(super) fn account(&self) -> Account {
        match self {
            Self::Traces(tracer) => {
                let stats = tracer.stats();
                Account {
                    delivered: stats.exported,
                    undelivered: stats.failed,
                    last_error: stats.last_error.unwrap_or_default(),
                }
            }
            Self::Audit(forwarder) => {
                let status = forwarder.status();
                Account {
                    delivered: status.delivered,
                    undelivered: status.queued,
                    last_error: status
                        .last_error
                        .map(|problem| problem.message)
                        .unwrap_or_default(),
                }
            }
        }
    }

    /// Waits until the account is as wanted, and returns it.
    pub(super) async fn says(&self, wanted: impl Fn(&Account) -> bool) -> Account {
        let account = async || Some(self.account()).filter(|account| wanted(account));
        until_async("the wanted account", LONG, account).await
    }

    pub(super) fn shutdown(self) {
        let at_once = Duration::ZERO;
        tokio::task::block_in_place(|| match self {
            Self::Traces(tracer) => drop(tracer.shutdown(at_once)),
            Self::Audit(forwarder) => drop(forwarder.shutdown(at_once)),
        });
    }
}
