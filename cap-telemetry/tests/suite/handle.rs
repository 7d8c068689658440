//! What the handle does while the process runs, and at its end.

#![allow(clippy::disallowed_methods, reason = "a scraper connects as it likes")]

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use cap_telemetry::syslog::{Framing, Tls, Transport};
use cap_telemetry::{Config, Telemetry};
use cap_testkit::{LONG, until};

use crate::support::{event, listener, nobody, start, valid};

/// A relay that takes one connection after the other, and hands over what it reads.
fn relay() -> (SocketAddr, Receiver<String>) {
    let (listener, address) = listener();
    let (said, heard) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, said) = (stream.expect("a connection"), said.clone());
            std::thread::spawn(move || {
                let mut bytes = [0; 65536];
                while let Ok(n @ 1..) = stream.read(&mut bytes) {
                    let text = String::from_utf8_lossy(&bytes[..n]).into_owned();
                    if said.send(text).is_err() {
                        break;
                    }
                }
            });
        }
    });
    (address, heard)
}

fn hears(heard: &Receiver<String>, what: &str) -> String {
    let (mut all, until) = (String::new(), Instant::now() + LONG);
    while !all.contains(what) {
        let left = until.saturating_duration_since(Instant::now());
        all += &heard.recv_timeout(left).unwrap_or_else(|_| panic!("no {what} in {all}"));
    }
    all
}

fn to(relay: SocketAddr) -> String {
    format!(
        "syslog: {{ enabled: true, host: {}, port: {}, grace: 50ms }}",
        relay.ip(),
        relay.port()
    )
}

#[test]
fn syslog_is_switched_and_moved_while_events_flow() {
    let (first, heard_first) = relay();
    let (second, heard_second) = relay();
    let telemetry = start("instance_name: here");
    assert!(telemetry.syslog().is_none() && telemetry.syslog_config().is_none());
    telemetry.audit(event("before"));

    telemetry.reconfigure_syslog(valid(&to(first)).syslog).expect("on");
    telemetry.audit(event("one"));
    hears(&heard_first, "event_id=\"one\"");
    telemetry.reconfigure_syslog(valid(&to(second)).syslog).expect("moved");
    // Until it is there, the relay before may still be given an event.
    let there = Some(second.to_string());
    until("it has moved", LONG, || {
        telemetry.status().syslog.and_then(|syslog| syslog.relay) == there
    });
    telemetry.audit(event("two"));
    hears(&heard_second, "event_id=\"two\"");

    telemetry.reconfigure_syslog(None).expect("off");
    assert!(telemetry.syslog().is_none());
    assert_eq!(
        telemetry.syslog_config().map(|config| config.relay.port.get()),
        Some(second.port()),
        "what it was is still known"
    );
    telemetry.audit(event("while it is off"));
    telemetry.reconfigure_syslog(valid(&to(first)).syslog).expect("on again");
    telemetry.audit(event("three"));
    hears(&heard_first, "event_id=\"three\"");

    let text = telemetry.metrics().render();
    assert!(
        text.contains("cap_telemetry_audit_events_enqueued_total 3"),
        "counters never go back: {text}"
    );
    let report = telemetry.shutdown(LONG);
    assert!(report.is_complete(), "{report}");
    let events = report.syslog.expect("it was on");
    assert_eq!((events.enqueued, events.delivered), (3, 3));

    let late = telemetry.reconfigure_syslog(valid(&to(first)).syslog);
    let late = late.expect_err("it is over");
    assert!(late.is_shut_down());
    assert_eq!(late.to_string(), "telemetry was shut down; start it again with Telemetry::start");
}

#[test]
fn events_left_when_syslog_is_switched_off_count_as_dropped() {
    let telemetry = start(&to(nobody()));
    telemetry.audit(event("lost"));
    telemetry.reconfigure_syslog(None).expect("off");
    let text = telemetry.metrics().render();
    for line in [
        "cap_telemetry_audit_events_enqueued_total 1",
        "cap_telemetry_audit_events_dropped_total 1",
        "cap_telemetry_syslog_connected 0",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let events = telemetry.shutdown(LONG).syslog.expect("it was on");
    assert_eq!((events.enqueued, events.dropped, events.queued), (1, 1, 0));
}

#[test]
fn a_shutdown_reports_a_pipeline_that_is_being_switched_off() {
    // It takes the connection and reads nothing, so that what was written waits out its grace.
    let (_silent, address) = listener();
    let telemetry = start(&format!(
        "syslog: {{ enabled: true, host: {}, port: {}, grace: 1h }}",
        address.ip(),
        address.port()
    ));
    telemetry.audit(event("left"));
    let switching = telemetry.clone();
    let switched = std::thread::spawn(move || switching.reconfigure_syslog(None));
    until("it is being switched off", LONG, || telemetry.syslog().is_none());
    let events = telemetry.shutdown(Duration::ZERO).syslog;
    let events = events.expect("it was on");
    assert_eq!((events.enqueued, events.queued), (1, 1));
    switched.join().expect("no panic").expect("off");
}

#[test]
fn a_setting_that_is_not_valid_leaves_the_old_ones_in_force() {
    let (relay, heard) = relay();
    let telemetry = start(&to(relay));
    let mut wrong = telemetry.syslog_config().expect("on");
    let mut tls = Tls::default();
    tls.ca_pem = Some("no certificate".to_owned());
    wrong.transport = Transport::Tls(Framing::default(), tls);
    let error = telemetry.reconfigure_syslog(Some(wrong));
    assert!(error.expect_err("no certificate").to_string().starts_with("syslog.tls: "));
    telemetry.audit(event("one"));
    hears(&heard, "event_id=\"one\"");
    assert!(telemetry.shutdown(LONG).is_complete());
}

const TRACING: &str =
    "telemetry: { tracing: { enabled: true, endpoint: 'http://127.0.0.1:9', sample_rate: 1.0 } }";

#[test]
fn an_audit_event_carries_the_ids_of_the_span_it_happens_in() {
    let (relay, heard) = relay();
    let telemetry = start(&format!("{TRACING}\n{}", to(relay)));
    let span = telemetry.tracer().service_call("service", "work");
    span.in_scope(|| telemetry.audit(event("inside")));
    telemetry.audit(event("outside"));
    let ids = span.ids().expect("sampled");
    let (trace_id, span_id) = (ids.trace_id_hex(), ids.span_id_hex());
    let heard = hears(&heard, "event_id=\"outside\"");
    let inside = format!("trace_id=\"{trace_id}\" span_id=\"{span_id}\"");
    assert_eq!(heard.matches(&inside).count(), 1, "{heard}");
    assert_eq!(heard.matches("trace_id").count(), 1, "{heard}");
    drop(span);
    telemetry.shutdown(Duration::ZERO);
}

#[test]
fn the_sample_rate_changes_while_it_runs_and_the_status_says_so() {
    let telemetry = start(TRACING);
    assert_eq!(telemetry.status().sample_rate, Some(1.0));
    telemetry.set_sample_rate("0".parse().expect("a rate"));
    assert_eq!(telemetry.status().sample_rate, Some(0.0));
    drop(telemetry.tracer().service_call("service", "work"));
    assert_eq!(telemetry.tracer().stats().started, 0);
    telemetry.shutdown(Duration::ZERO);

    let off = start("");
    off.set_sample_rate("1".parse().expect("a rate"));
    assert_eq!(off.status().sample_rate, None);
}

fn scrape(address: SocketAddr) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    let request = "GET /metrics HTTP/1.1\r\nhost: here\r\naccept: application/openmetrics-text;version=1.0.0\r\nconnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("written");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("text");
    answer
}

#[test]
fn the_metrics_listener_serves_until_the_last_handle_is_gone() {
    let exemplars = |setting: &str| {
        let metrics = format!(
            "telemetry: {{ metrics: {{ listen: '127.0.0.1:0'{setting} }}, tracing: {{ enabled: true, endpoint: 'http://127.0.0.1:9', sample_rate: 1.0 }} }}"
        );
        let telemetry = start(&metrics);
        assert!(telemetry.metrics_service().is_none(), "the host does not serve it too");
        let status = telemetry.status().metrics.expect("on");
        let address = status.listen.expect("an address");
        let span = telemetry.tracer().service_call("service", "work");
        let success = cap_telemetry::metrics::JobResult::Success;
        span.in_scope(|| telemetry.metrics().jobs().start("renew").finish(success));
        let trace_id = span.ids().expect("sampled").trace_id_hex();
        telemetry.shutdown(Duration::ZERO);
        let text = scrape(address);
        assert!(text.contains("cap_jobs_duration_seconds_bucket"), "{text}");
        drop(telemetry);
        until("the listener is closed", LONG, || TcpStream::connect(address).is_err());
        text.contains(&trace_id)
    };
    assert!(exemplars(""));
    assert!(!exemplars(", exemplars: false"));
}

#[test]
fn an_address_in_use_is_named() {
    let (_taken, address) = listener();
    let config = valid(&format!("telemetry: {{ metrics: {{ listen: '{address}' }} }}"));
    let error = Telemetry::start(config).expect_err("taken").to_string();
    assert!(
        error.starts_with(&format!("telemetry.metrics.listen: cannot listen on {address}: ")),
        "{error}"
    );
}

#[test]
fn metrics_that_are_off_are_not_served() {
    let telemetry = start("telemetry: { metrics: { enabled: false } }");
    assert!(telemetry.metrics_service().is_none() && !telemetry.metrics_enabled());
    assert!(telemetry.status().metrics.is_none());
}

#[test]
fn the_status_of_all_pipelines_is_one_document() {
    let telemetry = start(&format!(
        "instance_name: here\n{TRACING}\nsyslog: {{ enabled: true, host: 127.0.0.1, port: 9 }}"
    ));
    let status = serde_json::to_value(telemetry.status()).expect("JSON");
    let keys = status.as_object().expect("an object").keys();
    let keys: Vec<_> = keys.map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "egress_denied",
            "instance_name",
            "metrics",
            "sample_rate",
            "syslog",
            "tracing",
            "warning"
        ]
    );
    assert_eq!(status["instance_name"], "here");
    assert_eq!(status["syslog"]["capacity"], 10_000);
    assert_eq!(status["tracing"]["started"], 0);
    telemetry.shutdown(Duration::ZERO);
}

#[test]
fn with_everything_off_the_handle_works() {
    let telemetry = Telemetry::start(Config::default()).expect("nothing can fail");
    telemetry.audit(event("e1"));
    let text = telemetry.metrics().render();
    assert!(
        !text.contains("cap_telemetry_syslog_connected"),
        "what is off must not look broken: {text}"
    );
    let report = telemetry.shutdown(Duration::from_secs(1));
    assert!(report.is_complete(), "{report}");
    assert_eq!(serde_json::to_string(&report).expect("JSON"), r#"{"tracing":null,"syslog":null}"#);
}

#[test]
fn dead_peers_delay_neither_a_start_nor_a_shutdown() {
    let dead = nobody();
    let text = format!(
        "telemetry:\n  tracing:\n    enabled: true\n    endpoint: http://{dead}\nsyslog:\n  enabled: true\n  host: {}\n  port: {}\n",
        dead.ip(),
        dead.port()
    );
    let telemetry = start(&text);
    telemetry.audit(event("e1"));
    let report = telemetry.shutdown(Duration::from_millis(200));
    assert!(!report.is_complete());
    assert_eq!(report.syslog.map(|events| events.queued), Some(1));
}
