//! The audit log: one row per change, in the change's own transaction, forwarded when both are committed.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::Method;
use cap_telemetry::names::Actor;
use cap_telemetry::trace::Tracer;
use certautopilot::audit::{Entry, EventType};
use certautopilot::store::{Error, Location, Store, audit, members};
use serde_json::{Value, json};

use crate::harness::Stage;

/// A store, and the ids of what it forwards.
fn store() -> (Store, Arc<Mutex<Vec<String>>>) {
    let forwarded = Arc::new(Mutex::new(Vec::new()));
    let seen = forwarded.clone();
    let store = Store::open(
        &Location::Memory,
        "here",
        Tracer::disabled(),
        move |commit| {
            let ids = commit.recorded.iter().map(|entry| entry.id.clone());
            seen.lock().unwrap().extend(ids);
        },
    );
    (store.unwrap(), forwarded)
}

fn entry() -> Entry {
    Entry::new(
        EventType::RoleChanged,
        Actor::user("alice"),
        "bob is now viewer of p1",
    )
}

async fn rows(store: &Store) -> Vec<String> {
    page(store, None).await.unwrap()
}

async fn page(store: &Store, after: Option<String>) -> Option<Vec<String>> {
    let list: Result<_, Error> = store
        .read("audit", move |db| audit::list(db, after.as_deref(), 100))
        .await;
    let list = list.unwrap()?;
    Some(list.into_iter().map(|entry| entry.id).collect())
}

#[tokio::test]
async fn a_reader_who_goes_on_from_an_entry_misses_none_whose_id_is_smaller() {
    let (store, _) = store();
    for id in ["evt_2", "evt_3", "evt_1"] {
        let written: Result<(), Error> = store
            .write("insert", "audit", move |work| {
                let mut entry = entry();
                entry.id = id.to_owned();
                work.record(entry)
            })
            .await;
        written.unwrap();
    }
    assert_eq!(rows(&store).await, ["evt_2", "evt_3", "evt_1"]);
    let after = |id: &str| page(&store, Some(id.to_owned()));
    assert_eq!(after("evt_3").await.unwrap(), ["evt_1"]);
    assert_eq!(after("evt_1").await.unwrap(), [""; 0]);
    assert_eq!(after("evt_9").await, None);
}

#[tokio::test]
async fn a_change_that_is_committed_has_its_row_and_is_forwarded_under_the_same_id() {
    let (store, forwarded) = store();
    let written: Result<(), Error> = store
        .write("update", "members", |work| {
            members::set_role(work, "p1", "bob", "viewer")?;
            work.record(entry())
        })
        .await;
    written.unwrap();
    let rows = rows(&store).await;
    assert_eq!(rows.len(), 1);
    assert_eq!(*forwarded.lock().unwrap(), rows);
}

#[tokio::test]
async fn a_change_that_fails_has_no_row_and_forwards_nothing() {
    #[derive(Debug, PartialEq)]
    struct Refused;
    impl From<Error> for Refused {
        fn from(error: Error) -> Self {
            panic!("{error}")
        }
    }
    let (store, forwarded) = store();
    let written: Result<(), Refused> = store
        .write("update", "members", |work| {
            members::set_role(work, "p1", "bob", "viewer")?;
            work.record(entry())?;
            Err(Refused)
        })
        .await;
    assert_eq!(written, Err(Refused));
    assert_eq!(rows(&store).await, [""; 0]);
    let before: Result<_, Error> = store
        .write("update", "members", |work| {
            members::set_role(work, "p1", "bob", "admin")
        })
        .await;
    assert_eq!(before.unwrap(), None, "the role was rolled back too");
    assert_eq!(*forwarded.lock().unwrap(), [""; 0]);
}

#[tokio::test]
async fn what_a_caller_committed_before_it_hung_up_is_forwarded() {
    let (store, forwarded) = store();
    let write = store.write("insert", "audit", |work| {
        std::thread::sleep(Duration::from_millis(50));
        work.record(entry())
    });
    let cut_off = tokio::time::timeout(Duration::from_millis(5), write).await;
    assert!(cut_off.is_err(), "the caller did not wait");
    while forwarded.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let rows = rows(&store).await;
    assert_eq!(*forwarded.lock().unwrap(), rows);
}

#[tokio::test]
async fn rows_are_neither_changed_nor_deleted() {
    let (store, _) = store();
    store
        .write("insert", "audit", |work| work.record(entry()))
        .await
        .unwrap();
    for sql in ["UPDATE audit SET summary = ''", "DELETE FROM audit"] {
        let tampered: Result<usize, Error> = store
            .write("update", "audit", move |work| Ok(work.execute(sql, [])?))
            .await;
        assert!(tampered.unwrap_err().to_string().contains("append-only"));
    }
    assert_eq!(rows(&store).await.len(), 1);
}

#[tokio::test]
async fn every_kind_of_change_leaves_its_event() {
    let stage = Stage::new().await;
    let path = stage.issue("api.example.com").await;
    stage.post(&format!("{path}/renew"), &Value::Null).await;
    let renewed = stage.event("cert.renewed").await;
    assert_eq!(renewed["params"]["domain"], "api.example.com");
    stage.post(&format!("{path}/revoke"), &Value::Null).await;
    let role = json!({ "role": "operator" });
    let member = "/projects/p1/members/bob@example.com/role";
    assert_eq!(stage.ask(Method::PUT, member, &role, &[]).await.0, 200);
    stage
        .post("/webhooks/ticket", &json!({ "any": "thing" }))
        .await;

    for (event_type, severity) in [
        ("cert.requested", "info"),
        ("cert.issued", "info"),
        ("cert.renewed", "info"),
        ("cert.revoked", "warn"),
        ("member.role_changed", "warn"),
        ("webhook.received", "info"),
    ] {
        assert_eq!(
            stage.event(event_type).await["severity"],
            severity,
            "{event_type}"
        );
    }
    let requested = stage.event("cert.requested").await;
    assert_eq!(requested["actor"], "user:alice@example.com");
    assert_eq!(requested["project"], "p1");
    let certificate = path.rsplit('/').next().unwrap();
    assert_eq!(requested["resource"], format!("cert:{certificate}"));
}

#[tokio::test]
async fn a_login_is_audited_whether_it_works_or_not_and_its_token_names_the_caller() {
    let stage = Stage::new().await;
    let login = |password| json!({ "user": "bob@example.com", "password": password });
    assert_eq!(stage.post("/auth/login", &login("hunter2")).await.0, 401);
    let failed = stage.event("auth.login_failed").await;
    assert_eq!(
        (&failed["severity"], &failed["actor"]),
        (&json!("warn"), &json!("user:bob@example.com"))
    );

    let (status, session) = stage
        .post("/auth/login", &login("correct horse battery staple"))
        .await;
    assert_eq!(status, 200);
    stage.event("auth.login").await;
    let bearer = format!("Bearer {}", session["token"].as_str().unwrap());
    let headers = [("authorization", &*bearer)];
    let (status, _) = stage
        .ask(Method::POST, "/kek/rotations", &Value::Null, &headers)
        .await;
    assert_eq!(status, 202);
    assert_eq!(
        stage.event("kek.rotation_started").await["actor"],
        "user:bob@example.com"
    );
    let headers = [("authorization", "Bearer guessed")];
    let (status, _) = stage
        .ask(Method::POST, "/kek/rotations", &Value::Null, &headers)
        .await;
    assert_eq!(status, 401);
}
