//! Several replicas as one service: what one leaves behind, and what all of them must have.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use cap_testkit::{ANY_PORT, LONG, until, until_async};
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use certautopilot::{Config, Endpoint};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::harness::{CERTIFICATES, Stage, database};
use crate::process::service;

/// Long enough that a replica on a busy machine does not look dead.
const GONE_AFTER: Duration = Duration::from_secs(2);

/// A number that the database in this folder answers with.
fn ask(folder: &Path, question: &str) -> Option<i64> {
    let db = Connection::open(folder.join("service.sqlite")).unwrap();
    db.busy_timeout(LONG).unwrap();
    db.query_row(question, [], |row| row.get(0)).unwrap()
}

/// How many jobs are running.
pub(crate) fn running(folder: &Path) -> i64 {
    ask(folder, "SELECT count(*) FROM jobs WHERE state = 'running'").unwrap()
}

/// A replica as a process of its own, which does not leave when it dies.
struct Doomed(Child, String);

impl Doomed {
    fn start(folder: &Path, provider: &AcmeServer) -> Self {
        let configuration = json!({
            "instance_name": "doomed",
            "server": { "listen": "127.0.0.1:0" },
            "database": { "path": folder.join("service.sqlite") },
            "acme": { "directory_url": provider.url(), "timeout": "60s" },
            "replicas": { "sync": "50ms", "gone_after": "2s" },
        });
        let (mut command, _folder) = service(&configuration.to_string());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let line: Value = serde_json::from_str(&line).unwrap();
        Self(child, format!("http://{}", line["listening"].as_str().unwrap()))
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_a_dead_replica_are_run_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let last_said = || ask(folder, "SELECT max(seen_at) FROM hosts WHERE host = 'doomed'");
    let provider = AcmeServer::start(ANY_PORT).await.unwrap();
    // Only the first call hangs, which is that of the replica that will die.
    let hang = FaultKind::Latency(Duration::from_secs(600));
    provider.inject(Fault::new(Endpoint::NewOrder, hang).times(1));
    let doomed = Doomed::start(folder, &provider);
    let stage = Stage::before(provider, |config| {
        config.database = database(folder);
        config.replica_sync = Duration::from_millis(50);
        config.replica_gone_after = GONE_AFTER;
    })
    .await;
    let wanted = json!({ "domain": "api.example.com" });
    let (_, certificate) = stage.post(&format!("{}{CERTIFICATES}", doomed.1), &wanted).await;
    let path = format!("{CERTIFICATES}/{}", certificate["id"].as_str().unwrap());
    until("the first attempt", LONG, || running(folder) == 1);
    let claimed = "SELECT count(*) FROM jobs WHERE state = 'running' AND host = 'doomed'";
    assert_eq!(ask(folder, claimed), Some(1));

    // The attempt takes longer than a replica may be silent, but its replica is not silent.
    let first = last_said().unwrap();
    let long = i64::try_from((GONE_AFTER * 3 / 2).as_millis()).unwrap();
    until("the replica's reports", LONG, || last_said() >= Some(first + long));
    assert_eq!(running(folder), 1);
    assert_eq!(stage.get(&path).await["status"], "pending");

    drop(doomed);
    let died = Instant::now();
    stage.becomes(&path, "status", "active").await;
    // It may have been silent for a quarter of the time, and a look, when it died.
    assert!(died.elapsed() >= GONE_AFTER / 2, "{:?}", died.elapsed());
    assert_eq!(last_said(), None, "it is still counted");
    // The attempt that was lost counts, and the one that replaced it was the only other.
    let attempts = "SELECT attempt FROM jobs WHERE type = 'issue'";
    assert_eq!(ask(folder, attempts), Some(2));
    assert!(stage.service.stop().await);
    assert_eq!(running(folder), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotation_waits_for_a_replica_that_lags_behind() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let configure = |config: &mut Config| {
        config.database = database(folder);
        config.replica_sync = Duration::from_millis(20);
    };
    let stage = Stage::with(configure).await;
    let path = stage.issue("api.example.com").await;
    let says = |current: u32, loaded: &str| {
        let db = Connection::open(folder.join("service.sqlite")).unwrap();
        db.busy_timeout(LONG).unwrap();
        let report = "INSERT OR REPLACE INTO hosts VALUES ('other', ?1, ?2, ?3)";
        db.execute(report, (i64::MAX, current, loaded)).unwrap();
    };
    says(1, "[1]");
    let (status, body) = stage.post("/kek/rotations", &Value::Null).await;
    assert_eq!((status, &body["target_version"]), (202, &json!(2)));
    assert_eq!(stage.post("/kek/rotations", &Value::Null).await.0, 409, "one at a time");
    let laggards = r#"cap_kek_cluster_laggards_total{target="2"}"#;
    stage.metric_becomes(laggards, 1.0).await;
    assert_eq!(stage.get(&path).await["kek_version"], 1);
    let stage = stage.restart(configure).await;

    // Once the other can read what the new version wraps, it is used; the old one stays while the
    // other may still wrap with it.
    says(1, "[1, 2]");
    stage.becomes(&path, "kek_version", 2).await;
    stage.metric_becomes(laggards, 0.0).await;
    let host = stage.telemetry.instance_name();
    let loaded = format!(r#"cap_kek_process_loaded_versions{{host="{host}",version="1"}}"#);
    assert_eq!(stage.metric(&loaded), 1.0, "a version that may still be needed is gone");

    says(2, "[1, 2]");
    for event_type in ["kek.rotation_started", "kek.rotation_completed"] {
        let event = stage.event(event_type).await;
        assert_eq!(event["actor"], "user:alice@example.com");
        let rotation = body["rotation"].as_str().unwrap();
        assert_eq!(event["resource"], format!("kek_rotation:{rotation}"));
    }
    until_async("the unloading of version 1", LONG, async || stage.metric(&loaded) == 0.0).await;
}

#[tokio::test]
async fn an_installed_license_holds_at_once() {
    let stage = Stage::new().await;
    let series = "cap_license_expires_in_seconds";
    let exported = || {
        let text = stage.telemetry.metrics().render();
        text.lines().any(|line| line.starts_with(&format!("{series} ")))
    };
    assert!(!exported(), "a perpetual license has no end");
    for (end, sign, valid) in
        [("2000-01-01T00:00:00Z", -1.0, 0.0), ("2999-01-01T00:00:00Z", 1.0, 1.0)]
    {
        let license = json!({ "expires_at": end, "cert_limit": 5 });
        let (status, shown) = stage.put("/license", &license).await;
        assert_eq!((status, &shown["valid"]), (200, &json!(valid == 1.0)));
        assert_eq!(stage.metric(series).signum(), sign);
        assert_eq!(stage.metric("cap_license_valid"), valid);
        assert_eq!(stage.metric("cap_license_cert_limit"), 5.0);
    }
    assert_eq!(stage.put("/license", &json!({ "expires_at": null })).await.0, 200);
    assert!(!exported());
    assert_eq!(stage.metric("cap_license_valid"), 1.0);
}
