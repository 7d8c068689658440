//! Settings → Syslog in this service: who may, what is recorded, and what a restart and another replica make of it.

use axum::http::Method;
use certautopilot::store::Location;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::harness::Stage;

const SETTINGS: &str = "/settings/syslog";

async fn token(stage: &Stage) -> String {
    let shown = stage.get(SETTINGS).await;
    shown["csrf_token"].as_str().unwrap().to_owned()
}

fn relay(port: u16) -> Value {
    json!({ "enabled": true, "host": "127.0.0.1", "port": port })
}

fn port(stage: &Stage) -> Option<u16> {
    stage
        .telemetry
        .syslog_config()
        .map(|config| config.relay.port.get())
}

#[tokio::test]
async fn only_an_administrator_gets_to_the_settings_by_header_or_by_session() {
    let stage = Stage::new().await;
    let none = Value::Null;
    for (headers, expected) in [
        (vec![], 200),
        (vec![("cookie", "session=guessed")], 401),
        (vec![("authorization", "Bearer guessed")], 401),
    ] {
        let answer = stage.ask(Method::GET, SETTINGS, &none, &headers).await;
        assert_eq!(answer.0, expected, "{headers:?}");
    }
    for (user, expected) in [("alice@example.com", 200), ("bob@example.com", 403)] {
        let login = json!({ "user": user, "password": "correct horse battery staple" });
        let (_, session) = stage.post("/auth/login", &login).await;
        let token = session["token"].as_str().unwrap();
        for headers in [
            [("cookie", format!("theme=dark; session={token}"))],
            [("authorization", format!("Bearer {token}"))],
        ] {
            let headers = headers
                .each_ref()
                .map(|(name, value)| (*name, value.as_str()));
            let answer = stage.ask(Method::GET, SETTINGS, &none, &headers).await;
            assert_eq!(answer.0, expected, "{user}");
        }
    }
}

#[tokio::test]
async fn a_change_is_recorded_and_reaches_a_restarted_service_and_a_running_replica() {
    let folder = Folder::new("settings");
    let database = || Location::File(folder.0.join("shared.sqlite"));
    let stage = Stage::with(|config| config.database = database()).await;
    let replica = Stage::with(|config| {
        config.database = database();
        config.replica_sync = std::time::Duration::from_millis(20);
    })
    .await;
    // Whichever replica made the form.
    let token = token(&replica).await;
    let headers = [("x-csrf-token", token.as_str())];
    let saved = stage.ask(Method::PUT, SETTINGS, &relay(9), &headers).await;
    assert_eq!(saved.0, 200, "{saved:?}");
    let event = stage.event("settings.syslog_changed").await;
    assert_eq!(
        (&event["severity"], &event["actor"], &event["summary"]),
        (
            &json!("warn"),
            &json!("user:alice@example.com"),
            &json!("Syslog forwarding set to 127.0.0.1:9 over tcp")
        )
    );
    assert_eq!(port(&stage), Some(9));
    replica
        .until("the replica follows", async || {
            (port(&replica) == Some(9)).then_some(())
        })
        .await;
    assert!(stage.service.stop().await);
    let again = Stage::with(|config| config.database = database()).await;
    assert_eq!(port(&again), Some(9));
    assert!(again.telemetry.syslog().is_some());
}
