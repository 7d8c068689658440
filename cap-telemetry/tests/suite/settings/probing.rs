//! The Test of a relay.

use cap_testkit::{LONG, until_async};
use http::{Method, StatusCode};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use super::stage::{Stage, relay};
use crate::support::nobody;

#[tokio::test]
async fn a_test_reports_its_stages_is_persisted_and_rate_limited() {
    let port = nobody().port();
    let stage = Stage::new().await;
    let probe = stage.json(Method::POST, "/test", &relay(port)).await.json();
    assert_eq!(probe["verdict"], "failed");
    assert_eq!(probe["failure"]["cause"], "refused");
    let stages = probe["steps"].as_array().unwrap().iter();
    let stages: Vec<_> = stages.map(|step| step["stage"].as_str().unwrap()).collect();
    assert_eq!(stages, ["policy", "connect"]);
    assert!(probe["record"].as_str().unwrap().contains("syslog.test"));
    assert!(stage.telemetry.syslog().is_none(), "a Test changes nothing");
    assert_eq!(
        stage.persisted(),
        [format!("settings.syslog_tested: Syslog relay 127.0.0.1:{port} tested: failed")]
    );

    let port = port.to_string();
    let fields = [("host", "127.0.0.1"), ("port", port.as_str()), ("transport", "tcp")];
    let page = stage.post("/page-test", &fields).await;
    assert_eq!(page.status, StatusCode::OK);
    assert!(page.body.contains("check the port, and that the relay runs"), "{}", page.body);
    for _ in 2..5 {
        assert_eq!(stage.post("/page-test", &fields).await.status, StatusCode::OK);
    }
    let sixth = stage.json(Method::POST, "/test", &relay(9)).await;
    assert_eq!(sixth.status, StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = sixth.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&wait));
    assert_eq!(stage.post("/page-test", &fields).await.status, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(stage.persisted().len(), 5, "what is refused is not run");
}

#[tokio::test]
async fn a_test_is_persisted_when_its_browser_goes_away() {
    let relay_listens = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = relay_listens.local_addr().unwrap().port();
    let stage = Stage::new().await;
    let settings = relay(port);
    let mut asks = Box::pin(stage.json(Method::POST, "/test", &settings));
    let (mut stream, _) = tokio::select! {
        biased;
        _ = &mut asks => panic!("the relay has not said anything yet"),
        connected = relay_listens.accept() => connected.unwrap(),
    };
    drop(asks);
    let mut record = [0; 4096];
    let count = stream.read(&mut record).await.unwrap();
    let record = String::from_utf8_lossy(&record[..count]);
    assert!(record.contains("syslog.test"), "{record}");
    drop(stream);
    until_async("the record of the Test", LONG, async || !stage.persisted().is_empty()).await;
    assert!(stage.persisted()[0].starts_with("settings.syslog_tested: "));
}

#[tokio::test]
async fn a_test_without_a_relay_and_a_long_body_are_refused() {
    let stage = Stage::new().await;
    let headers = [("x-csrf-token", stage.token.as_str())];
    let answer = stage.send(Method::POST, "/test", "alice", "", &headers).await;
    assert_eq!(answer.json()["errors"][0]["field"], "host");
    let long = json!({ "ca": "x".repeat(70_000) });
    let answer = stage.json(Method::PUT, "", &long).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
}
