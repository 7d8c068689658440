//! A relay that was away for longer than the buffer lasts gets from the audit log what it missed.

use std::io::Read as _;
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cap_telemetry::{Config as Pipes, Document, Telemetry};
use certautopilot::AuditLog;
use serde_json::json;

use crate::harness::Stage;

const BUFFER: usize = 10;
const EVENTS: usize = 60;

/// The event ids in what a relay was sent, each once, in the order of their first.
fn ids(received: &str) -> Vec<String> {
    let mut ids = Vec::new();
    for rest in received.split("event_id=\"").skip(1) {
        let id = rest.split('"').next().unwrap().to_owned();
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_outage_longer_than_the_buffer_the_relay_has_every_row_of_the_audit_log() {
    let port = {
        let reserved = TcpListener::bind("127.0.0.1:0").unwrap();
        reserved.local_addr().unwrap().port()
    };
    let text = format!(
        "syslog: {{ enabled: true, host: 127.0.0.1, port: {port}, buffer_size: {BUFFER}, grace: 50ms }}"
    );
    let mut document = Document::parse("config.yaml", &text, []).unwrap();
    let pipes = Pipes::from_document(&mut document).unwrap();
    let log = AuditLog::default();
    let telemetry = Telemetry::builder(pipes)
        .backfill(log.clone())
        .start()
        .unwrap();
    let stage = Stage::on(telemetry, &log, |_| {}).await;

    // Several at a time, as requests come.
    let posts = (0..EVENTS).map(|number| {
        let path = format!("/webhooks/hook-{number}");
        let stage = &stage;
        async move { stage.post(&path, &json!({ "any": "thing" })).await.0 }
    });
    let mut posts: Vec<_> = posts.map(Box::pin).collect();
    for batch in posts.chunks_mut(4) {
        let [a, b, c, d] = batch else {
            panic!("batches of four")
        };
        assert_eq!(tokio::join!(a, b, c, d), (202, 202, 202, 202));
    }
    let status = stage.telemetry.syslog().unwrap().status();
    assert!(status.dropped >= (EVENTS - BUFFER) as u64, "{status:?}");

    let received = Arc::new(Mutex::new(String::new()));
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    let heard = received.clone();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut bytes = [0; 65536];
            while let Ok(count @ 1..) = stream.read(&mut bytes) {
                heard
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&bytes[..count]));
            }
        }
    });
    let log = stage.get("/audit").await;
    let rows = log["events"].as_array().unwrap().iter();
    let rows: Vec<_> = rows
        .map(|row| row["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(rows.len(), EVENTS);
    let came = stage
        .until("every row", async || {
            let ids = ids(&received.lock().unwrap());
            (ids.len() >= EVENTS).then_some(ids)
        })
        .await;
    assert_eq!(
        came, rows,
        "in the order of the rows, no gap record, and nothing twice"
    );
    let status = stage.telemetry.syslog().unwrap().status();
    assert!(status.backfilled > 0, "{status:?}");
    stage.telemetry.shutdown(Duration::from_secs(5));
}
