//! KEK rotation.

use std::sync::Arc;

use cap_telemetry::metrics::Metrics;
use cap_telemetry::names::Actor;
use cap_telemetry::trace::Tracer;
use certautopilot::certificate::{Certificate, Issued};
use certautopilot::kek::{self, Keyring, MasterKey, Rotations};
use certautopilot::store::{self, Error, Location, Store, certificates};
use chrono::Utc;

use crate::harness::Stage;

const PROJECT: &str = "p1";

struct Safe {
    store: Store,
    keyring: Arc<Keyring>,
    metrics: Metrics,
}

impl Safe {
    async fn with_keys(keys: usize) -> Self {
        let store = Store::open(&Location::Memory, "here", Tracer::disabled(), |_| {}).unwrap();
        let metrics = Metrics::new();
        let keyring = Keyring::new("here", MasterKey::random(), [], 1, metrics.clone()).unwrap();
        let keyring = Arc::new(keyring);
        let sealing = keyring.clone();
        let filled = store.write("insert", "certificates", move |work| {
            for number in 0..keys {
                let certificate = certificate(number);
                certificates::insert(work, &certificate)?;
                let issued = Issued {
                    pem: String::new(),
                    fingerprint: number.to_string(),
                    not_after: Utc::now(),
                    key: sealing.seal(&certificate.id, &secret(number)).unwrap(),
                };
                certificates::set_issued(work, &certificate.id, &issued)?;
            }
            Ok::<_, Error>(())
        });
        filled.await.unwrap();
        Safe {
            store,
            keyring,
            metrics,
        }
    }

    fn rotations(&self) -> Rotations {
        let (_, never) = tokio::sync::watch::channel(false);
        Rotations::new(self.store.clone(), self.keyring.clone(), never)
    }

    /// Opens every stored key, and returns the versions that wrap them.
    async fn open_all(&self) -> Vec<u32> {
        let rows = |db: &_| certificates::of_project(db, PROJECT);
        let rows: Result<_, Error> = self.store.read("certificates", rows).await;
        let rows = rows.unwrap();
        let keys = rows
            .iter()
            .map(|row| (&row.id, &row.issued.as_ref().unwrap().key));
        keys.enumerate()
            .map(|(number, (id, key))| {
                assert_eq!(self.keyring.open(id, key).unwrap(), secret(number));
                key.kek_version
            })
            .collect()
    }
}

fn certificate(number: usize) -> Certificate {
    let (id, domain) = (format!("crt_{number:04}"), format!("{number}.example.com"));
    Certificate::pending(&id, PROJECT, &domain, "acme")
}

fn secret(number: usize) -> Vec<u8> {
    format!("private key {number}").into_bytes()
}

#[tokio::test]
async fn every_key_stays_readable_through_a_rotation() {
    let safe = Safe::with_keys(120).await;
    assert_eq!(safe.open_all().await, [1; 120]);
    let rotation = safe.rotations().start(Actor::user("alice")).await.unwrap();
    assert_eq!(safe.open_all().await, [1; 120]);
    safe.rotations().run(&rotation).await.unwrap();
    assert_eq!(safe.open_all().await, [2; 120]);

    let in_use: Result<_, Error> = safe.store.read("certificates", store::kek::in_use).await;
    assert_eq!(in_use.unwrap(), [2]);
    let text = safe.metrics.render();
    for line in [
        r#"cap_kek_process_loaded_versions{host="here",version="1"} 0"#.to_owned(),
        r#"cap_kek_process_loaded_versions{host="here",version="2"} 1"#.to_owned(),
        r#"cap_kek_process_current_version{host="here"} 2"#.to_owned(),
        r#"cap_kek_cluster_laggards_total{target="2"} 0"#.to_owned(),
        format!(
            r#"cap_kek_rotation_active{{rotation_id="{}"}} 0"#,
            rotation.id
        ),
        format!(
            r#"cap_kek_rotation_progress_ratio{{rotation_id="{}"}} 1"#,
            rotation.id
        ),
        r#"cap_kek_wrap_total{provider="local",result="success"} 240"#.to_owned(),
        r#"cap_kek_unwrap_total{provider="local",result="failed"} 0"#.to_owned(),
    ] {
        assert!(
            text.contains(&(line.clone() + "\n")),
            "{line} is not in\n{text}"
        );
    }
}

#[tokio::test]
async fn one_rotation_runs_at_a_time() {
    let safe = Safe::with_keys(1).await;
    let first = safe.rotations().start(Actor::user("alice")).await.unwrap();
    let second = safe.rotations().start(Actor::user("bob")).await;
    assert!(matches!(second, Err(kek::Error::Running(id)) if id == first.id));
}

#[tokio::test]
async fn a_rotation_that_a_restart_interrupted_goes_on() {
    let safe = Safe::with_keys(3).await;
    let started = safe.rotations().start(Actor::user("alice")).await.unwrap();
    let found = safe.rotations().interrupted().await.unwrap().unwrap();
    assert_eq!(found, started);
    safe.rotations().run(&found).await.unwrap();
    assert_eq!(safe.open_all().await, [2; 3]);
    assert_eq!(safe.rotations().interrupted().await.unwrap(), None);
}

#[tokio::test]
async fn a_rotation_over_http_is_audited_from_start_to_end() {
    let stage = Stage::new().await;
    let path = stage.issue("api.example.com").await;
    let (status, body) = stage.post("/kek/rotations", &serde_json::Value::Null).await;
    assert_eq!((status, &body["target_version"]), (202, &2.into()));
    for event_type in ["kek.rotation_started", "kek.rotation_completed"] {
        let event = stage.event(event_type).await;
        assert_eq!(event["actor"], "user:alice@example.com");
        let rotation = body["rotation"].as_str().unwrap();
        assert_eq!(event["resource"], format!("kek_rotation:{rotation}"));
    }
    assert_eq!(stage.get(&path).await["kek_version"], 2);
}
