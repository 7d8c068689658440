//! How long a start takes, in a process of its own, since other tests would take its time.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use cap_telemetry::{Config, Document, Telemetry};

const ROUNDS: usize = 5;

fn start(text: &str) -> Duration {
    let mut document = Document::parse("config.yaml", text, []).expect("YAML");
    let config = Config::from_document(&mut document).expect("valid");
    let begun = Instant::now();
    let telemetry = Telemetry::start(config).expect("started");
    let took = begun.elapsed();
    telemetry.shutdown(Duration::ZERO);
    took
}

/// The quickest of several starts without peers and of as many with these, in turn.
fn quickest(text: &str) -> (Duration, Duration) {
    let rounds = (0..ROUNDS).map(|_| (start(""), start(text)));
    rounds.reduce(|best, round| (best.0.min(round.0), best.1.min(round.1))).expect("some rounds")
}

/// One peer accepts the connection and then says nothing. At the other address nothing listens.
#[test]
fn a_dead_peer_delays_a_start_by_at_most_100_ms() {
    let bind = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let silent = bind();
    let silent_at = silent.local_addr().expect("bound");
    let gone_at = bind().local_addr().expect("bound");
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for peer in [silent_at, gone_at] {
        let (host, port) = (peer.ip(), peer.port());
        let text = format!(
            "telemetry: {{ tracing: {{ enabled: true, endpoint: 'grpcs://{peer}' }} }}\n\
             syslog: {{ enabled: true, host: {host}, port: {port}, transport: tcp+tls }}\n"
        );
        let outside = quickest(&text);
        let inside = runtime.block_on(async { quickest(&text) });
        for (alone, took) in [outside, inside] {
            assert!(
                took < alone + Duration::from_millis(100),
                "{peer}: {took:?}, and {alone:?} alone"
            );
        }
    }
}
