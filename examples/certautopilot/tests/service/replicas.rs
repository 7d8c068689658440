//! Several replicas as one service: what one leaves behind, and what all of them must have.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use axum::http::Method;
use cap_telemetry::trace::Tracer;
use certautopilot::Endpoint;
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use certautopilot::store::hosts::{self, Report};
use certautopilot::store::{Error, Location, Store, certificates, jobs};
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::harness::{LOOPBACK, Stage};
use crate::jobs::{pending, running};

/// Long enough that a replica on a busy machine is not taken for a dead one.
const GONE_AFTER: Duration = Duration::from_secs(2);

/// A replica as a process of its own. It dies without taking its leave.
struct Doomed(Child);

impl Doomed {
    fn start(folder: &Folder, provider: &AcmeServer) -> Self {
        let configuration = json!({
            "instance_name": "doomed",
            "server": { "listen": "127.0.0.1:0" },
            "database": { "path": folder.0.join("certautopilot.db") },
            "acme": { "directory_url": provider.url(), "timeout": "60s" },
            "replicas": { "sync": "50ms", "gone_after": "2s" },
        });
        let file = folder.0.join("doomed.yaml");
        fs::write(&file, configuration.to_string()).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_certautopilot"))
            .arg("--config")
            .arg(file)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        assert!(line.contains("listening"), "{line}");
        Doomed(child)
    }

    fn kill(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Doomed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// When the other replica last said that it is there.
async fn last_said(store: &Store) -> Option<i64> {
    let ask = |db: &rusqlite::Connection| {
        let sql = "SELECT max(seen_at) FROM hosts WHERE host = 'doomed'";
        Ok::<Option<i64>, Error>(db.query_row(sql, [], |row| row.get(0))?)
    };
    store.read("hosts", ask).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_jobs_of_a_replica_that_dies_are_run_by_another_and_those_of_a_live_one_are_not() {
    let folder = Folder::new("takeover");
    let location = Location::File(folder.0.join("certautopilot.db"));
    let provider = AcmeServer::start(LOOPBACK).await.unwrap();
    // Only the first call hangs, which is the one of the replica that will die.
    let hang = FaultKind::Latency(Duration::from_secs(600));
    provider.inject(Fault::new(Endpoint::NewOrder, hang).times(1));

    let store = Store::open(&location, "test", Tracer::disabled(), |_| {}).unwrap();
    let (certificate, job) = pending("api.example.com");
    let path = format!("/projects/p1/certificates/{}", certificate.id);
    let put = store.write("insert", "certificates", move |work| {
        certificates::insert(work, &certificate)?;
        jobs::insert(work, &job)
    });
    put.await.unwrap();
    let mut doomed = Doomed::start(&folder, &provider);
    let stage = Stage::with(|config| {
        config.database = location;
        config.acme_directory = provider.url().parse().unwrap();
        config.replica_sync = Duration::from_millis(50);
        config.replica_gone_after = GONE_AFTER;
    })
    .await;
    stage
        .until("the first attempt", async || {
            (running(&store).await == 1).then_some(())
        })
        .await;

    // The attempt takes longer than a replica may be silent, but its replica is not silent.
    let first = last_said(&store).await.unwrap();
    let long = i64::try_from((GONE_AFTER * 3 / 2).as_millis()).unwrap();
    stage
        .until("the replica's reports", async || {
            (last_said(&store).await? >= first + long).then_some(())
        })
        .await;
    assert_eq!(running(&store).await, 1);
    assert_eq!(stage.get(&path).await["status"], "pending");

    doomed.kill();
    let died = Instant::now();
    stage.status_becomes(&path, "active").await;
    // It may have been silent for a quarter of the time, and a look, when it died.
    assert!(died.elapsed() >= GONE_AFTER / 2, "{:?}", died.elapsed());
    assert_eq!(last_said(&store).await, None, "it is still counted");
    // The attempt that was lost counts, and the one that took its place was the only other.
    let attempts = |db: &rusqlite::Connection| {
        let sql = "SELECT attempt FROM jobs WHERE id = 'job_1'";
        Ok::<u32, Error>(db.query_row(sql, [], |row| row.get(0))?)
    };
    assert_eq!(store.read("jobs", attempts).await.unwrap(), 2);
    assert!(stage.service.stop().await);
    assert_eq!(running(&store).await, 0);
}

#[tokio::test]
async fn a_rotation_waits_for_a_replica_that_lags_behind() {
    let stage = Stage::with(|config| config.replica_sync = Duration::from_millis(20)).await;
    let path = stage.issue("api.example.com").await;
    let says = async |current: u32, loaded: &[u32]| {
        let report = Report {
            host: "other".to_owned(),
            current,
            loaded: loaded.to_vec(),
        };
        let store = stage.service.store();
        let write = store.write("update", "hosts", move |work| hosts::report(work, &report));
        write.await.unwrap();
    };
    says(1, &[1]).await;
    assert_eq!(stage.post("/kek/rotations", &Value::Null).await.0, 202);
    let laggards = r#"cap_kek_cluster_laggards_total{target="2"}"#;
    stage.metric_becomes(laggards, 1.0).await;
    assert_eq!(stage.get(&path).await["kek_version"], 1);

    // Once the other can read what the new version wraps, it is used; the old one stays while the other may still wrap with it.
    says(1, &[1, 2]).await;
    stage
        .until("a key under version 2", async || {
            (stage.get(&path).await["kek_version"] == 2).then_some(())
        })
        .await;
    stage.metric_becomes(laggards, 0.0).await;
    let old = loaded(&stage, 1);
    assert_eq!(old, 1.0, "a version that may still be needed is gone");

    says(2, &[1, 2]).await;
    stage.event("kek.rotation_completed").await;
    stage
        .until("version 1 to be unloaded", async || {
            (loaded(&stage, 1) == 0.0).then_some(())
        })
        .await;
}

fn loaded(stage: &Stage, version: u32) -> f64 {
    let host = stage.telemetry.instance_name();
    stage.metric(&format!(
        r#"cap_kek_process_loaded_versions{{host="{host}",version="{version}"}}"#
    ))
}

#[tokio::test]
async fn a_job_that_was_given_up_is_attempted_as_if_new_once_it_is_queued_anew() {
    let stage = Stage::new().await;
    let refusal = FaultKind::Status(403);
    stage
        .provider
        .inject(Fault::new(Endpoint::NewOrder, refusal).times(1));
    let path = stage.request("api.example.com").await;
    stage.event("job.dead_lettered").await;
    let dead = stage.get("/jobs/dead").await;
    let [job] = &dead["jobs"].as_array().unwrap()[..] else {
        panic!("{dead}");
    };
    assert_eq!(
        (&job["type"], &job["attempts"]),
        (&json!("issue"), &json!(1))
    );
    let error = job["last_error"].as_str().unwrap();
    assert!(error.contains("403"), "{error}");

    let requeue = format!("/jobs/dead/{}/requeue", job["id"].as_str().unwrap());
    assert_eq!(stage.post(&requeue, &Value::Null).await.0, 202);
    stage.status_becomes(&path, "active").await;
    assert_eq!(stage.event("job.requeued").await["severity"], "warn");
    assert_eq!(stage.get("/jobs/dead").await["jobs"], json!([]));
    // It is not dead any more.
    assert_eq!(stage.post(&requeue, &Value::Null).await.0, 404);
}

#[tokio::test]
async fn an_installed_license_holds_at_once_and_a_perpetual_one_exports_no_end() {
    let stage = Stage::new().await;
    let series = "cap_license_expires_in_seconds";
    assert!(
        !stage
            .telemetry
            .metrics()
            .render()
            .contains(&format!("\n{series} "))
    );
    for (end, sign, valid) in [
        ("2000-01-01T00:00:00Z", -1.0, 0.0),
        ("2999-01-01T00:00:00Z", 1.0, 1.0),
    ] {
        let license = json!({ "expires_at": end, "cert_limit": 5 });
        let (status, shown) = stage.ask(Method::PUT, "/license", &license, &[]).await;
        assert_eq!((status, &shown["valid"]), (200, &json!(valid == 1.0)));
        assert_eq!(stage.metric(series).signum(), sign);
        assert_eq!(stage.metric("cap_license_valid"), valid);
        assert_eq!(stage.metric("cap_license_cert_limit"), 5.0);
    }
    let perpetual = json!({ "expires_at": null });
    assert_eq!(
        stage.ask(Method::PUT, "/license", &perpetual, &[]).await.0,
        200
    );
    assert!(
        !stage
            .telemetry
            .metrics()
            .render()
            .contains(&format!("\n{series} "))
    );
    assert_eq!(stage.metric("cap_license_valid"), 1.0);
}
