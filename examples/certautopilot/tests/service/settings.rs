//! Settings → Syslog in this service: who may, what is recorded, and who follows.

use std::time::Duration;

use axum::http::Method;
use cap_testkit::{LONG, until_async};
use serde_json::{Value, json};

use crate::harness::{Stage, database};

const SETTINGS: &str = "/settings/syslog";

fn port(stage: &Stage) -> Option<u16> {
    stage.telemetry.syslog_config().map(|config| config.relay.port.get())
}

#[tokio::test]
async fn only_an_administrator_gets_to_the_settings() {
    let stage = Stage::new().await;
    let get = async |headers: &[(&str, &str)]| {
        stage.ask(Method::GET, SETTINGS, &Value::Null, headers).await.0
    };
    assert_eq!(get(&[]).await, 200);
    assert_eq!(get(&[("cookie", "session=guessed")]).await, 401);
    assert_eq!(get(&[("authorization", "Bearer guessed")]).await, 401);
    for (user, expected) in [("alice@example.com", 200), ("bob@example.com", 403)] {
        let token = stage.log_in(user).await;
        let cookie = format!("theme=dark; session={token}");
        assert_eq!(get(&[("cookie", &cookie)]).await, expected, "{user}");
        let bearer = format!("Bearer {token}");
        assert_eq!(get(&[("authorization", &bearer)]).await, expected, "{user}");
    }
}

#[tokio::test]
async fn a_change_is_recorded_and_reaches_replicas_and_restarts() {
    let folder = tempfile::tempdir().unwrap();
    let stage = Stage::with(|config| config.database = database(folder.path())).await;
    let replica = Stage::with(|config| {
        config.database = database(folder.path());
        config.replica_sync = Duration::from_millis(20);
    })
    .await;
    // Any replica may have made the form.
    let shown = replica.get(SETTINGS).await;
    let headers = [("x-csrf-token", shown["csrf_token"].as_str().unwrap())];
    let relay = json!({ "enabled": true, "host": "127.0.0.1", "port": 9 });
    let saved = stage.ask(Method::PUT, SETTINGS, &relay, &headers).await;
    assert_eq!(saved.0, 200, "{saved:?}");
    let event = stage.event("settings.syslog_changed").await;
    assert_eq!(event["severity"], "warn");
    assert_eq!(event["actor"], "user:alice@example.com");
    assert_eq!(event["summary"], "Syslog forwarding set to 127.0.0.1:9 over tcp");
    assert_eq!(port(&stage), Some(9));
    until_async("the replica's change", LONG, async || port(&replica) == Some(9)).await;
    let again = stage.restart(|config| config.database = database(folder.path())).await;
    assert_eq!(port(&again), Some(9));
    assert!(again.telemetry.syslog().is_some());
}
