//! The audit log over HTTP, and as the source of the events that a relay missed.

use std::net::TcpListener;
use std::time::Duration;

use axum::http::Method;
use cap_telemetry::{Config as Pipelines, Document, Telemetry};
use cap_testkit::{ANY_PORT, LONG, SyslogRelay};
use certautopilot::AuditLog;
use certautopilot::acme_server::AcmeServer;
use serde_json::{Value, json};

use crate::harness::Stage;

#[tokio::test]
async fn every_kind_of_change_leaves_its_event() {
    let stage = Stage::new().await;
    let path = stage.issue("api.example.com").await;
    stage.post(&format!("{path}/renew"), &Value::Null).await;
    let renewed = stage.event("cert.renewed").await;
    assert_eq!(renewed["params"]["domain"], "api.example.com");
    stage.post(&format!("{path}/revoke"), &Value::Null).await;
    let member = "/projects/p1/members/bob@example.com/role";
    assert_eq!(stage.put(member, &json!({ "role": "operator" })).await.0, 200);
    stage.post("/webhooks/ticket", &json!({ "any": "thing" })).await;

    for (event_type, severity) in [
        ("cert.requested", "info"),
        ("cert.issued", "info"),
        ("cert.renewed", "info"),
        ("cert.revoked", "warn"),
        ("member.role_changed", "warn"),
        ("webhook.received", "info"),
    ] {
        assert_eq!(stage.event(event_type).await["severity"], severity, "{event_type}");
    }
    let requested = stage.event("cert.requested").await;
    assert_eq!(requested["actor"], "user:alice@example.com");
    assert_eq!(requested["project"], "p1");
    let certificate = path.rsplit('/').next().unwrap();
    assert_eq!(requested["resource"], format!("cert:{certificate}"));
}

#[tokio::test]
async fn a_login_is_audited_and_its_token_names_the_caller() {
    let stage = Stage::new().await;
    for (user, password) in
        [("bob@example.com", "hunter2"), ("mallory@example.com", "correct horse battery staple")]
    {
        let wrong = json!({ "user": user, "password": password });
        assert_eq!(stage.post("/auth/login", &wrong).await.0, 401, "{user}");
    }
    let failed = stage.event("auth.login_failed").await;
    assert_eq!(failed["severity"], "warn");
    assert_eq!(failed["actor"], "user:bob@example.com");

    let bearer = format!("Bearer {}", stage.log_in("bob@example.com").await);
    stage.event("auth.login").await;
    for (authorization, status) in [(&*bearer, 202), ("Bearer guessed", 401)] {
        let headers = [("authorization", authorization)];
        let rotate = stage.ask(Method::POST, "/kek/rotations", &Value::Null, &headers);
        assert_eq!(rotate.await.0, status);
    }
    let started = stage.event("kek.rotation_started").await;
    assert_eq!(started["actor"], "user:bob@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_long_outage_the_relay_gets_every_row_of_the_log() {
    const BUFFER: usize = 10;
    const EVENTS: usize = 60;
    let reserved = TcpListener::bind(ANY_PORT).unwrap();
    let relay = reserved.local_addr().unwrap();
    drop(reserved);
    let text = format!(
        "syslog: {{ enabled: true, host: 127.0.0.1, port: {}, buffer_size: {BUFFER}, grace: 50ms }}",
        relay.port()
    );
    let mut document = Document::parse("config.yaml", &text, []).unwrap();
    let pipelines = Pipelines::from_document(&mut document).unwrap();
    let log = AuditLog::default();
    let telemetry = Telemetry::builder(pipelines).backfill(log.clone()).start().unwrap();
    let provider = AcmeServer::start(ANY_PORT).await.unwrap();
    let stage = Stage::on(provider, telemetry, &log, |_| {}).await;

    // Several at a time, as requests come.
    for batch in 0..EVENTS / 4 {
        let post = async |number: usize| {
            let path = format!("/webhooks/hook-{batch}-{number}");
            stage.post(&path, &json!({ "any": "thing" })).await.0
        };
        let statuses = tokio::join!(post(0), post(1), post(2), post(3));
        assert_eq!(statuses, (202, 202, 202, 202));
    }
    let status = stage.telemetry.syslog().unwrap().status();
    assert!(status.dropped >= (EVENTS - BUFFER) as u64, "{status:?}");

    let relay = SyslogRelay::start_on(relay).await.unwrap();
    let log = stage.get("/audit").await;
    let rows = log["events"].as_array().unwrap().iter();
    let rows: Vec<_> = rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect();
    assert_eq!(rows.len(), EVENTS);
    let all = |state: &cap_testkit::RelayState| state.records.len() >= EVENTS;
    relay.until("every event", LONG, all).await;
    let mut came: Vec<String> = Vec::new();
    for id in relay.records().iter().filter_map(|record| record.event_id()) {
        if !came.iter().any(|known| known == id) {
            came.push(id.to_owned());
        }
    }
    assert_eq!(came, rows, "in the order of the rows, without a gap record");
    let status = stage.telemetry.syslog().unwrap().status();
    assert!(status.backfilled > 0, "{status:?}");
    stage.telemetry.shutdown(Duration::from_secs(5));
}
