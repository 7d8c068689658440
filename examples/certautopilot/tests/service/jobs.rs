//! The queue: attempts, waits, dead letters, restarts.

use std::time::{Duration, Instant};

use cap_telemetry::names::Actor;
use cap_telemetry::trace::{Carrier, Tracer};
use certautopilot::Endpoint;
use certautopilot::acme_server::{Fault, FaultKind};
use certautopilot::certificate::Certificate;
use certautopilot::job::{Job, Task};
use certautopilot::store::{Error, Location, Store, Work, certificates, jobs};
use chrono::Utc;
use serde_json::Value;

use crate::folder::Folder;
use crate::harness::Stage;

#[tokio::test]
async fn a_provider_that_fails_twice_is_asked_a_third_time() {
    let stage = Stage::new().await;
    let fault = Fault::new(Endpoint::Finalize, FaultKind::Status(503));
    stage
        .provider
        .inject(fault.identifier("api.example.com").times(2));
    stage.issue("api.example.com").await;

    assert_eq!(stage.answered(Endpoint::Finalize), [503, 503, 200]);
    assert_eq!(stage.metric(r#"cap_jobs_retry_total{type="issue"}"#), 2.0);
    for (result, times) in [("failed", 2.0), ("success", 1.0)] {
        let series = format!(r#"cap_jobs_completed_total{{type="issue",result="{result}"}}"#);
        stage.metric_becomes(&series, times).await;
    }
    for kind in ["distribute", "notify"] {
        let series = format!(r#"cap_jobs_queued_total{{type="{kind}"}}"#);
        stage.metric_becomes(&series, 1.0).await;
    }
}

#[tokio::test]
async fn a_renewal_that_is_given_up_marks_its_certificate() {
    let stage = Stage::new().await;
    let path = stage.issue("api.example.com").await;
    stage
        .provider
        .inject(Fault::new(Endpoint::NewOrder, FaultKind::Status(500)));
    let renew = format!("{path}/renew");
    assert_eq!(stage.post(&renew, &Value::Null).await.0, 202);

    let certificate = stage.status_becomes(&path, "renewal_failed").await;
    let error = certificate["last_error"].as_str().unwrap();
    assert_eq!(error, "acme new-order: answered 500 Internal Server Error");
    assert!(
        certificate["pem"].is_string(),
        "the old certificate is still there"
    );
    assert_eq!(stage.answered(Endpoint::NewOrder), [201, 500, 500, 500]);
    assert_eq!(
        stage.metric(r#"cap_jobs_dead_letter_total{type="renew"}"#),
        1.0
    );
    let failed = r#"cap_certificates_total{status="renewal_failed",issuer_type="acme"}"#;
    assert_eq!(stage.metric(failed), 1.0);
    for event_type in ["job.dead_lettered", "cert.renewal_failed"] {
        let event = stage.event(event_type).await;
        assert_eq!(event["severity"], "error");
        assert_eq!(event["actor"], "user:alice@example.com");
        assert_eq!(event["params"]["error_class"], "io_transient");
        assert_eq!(event["params"]["attempts"], "3");
    }

    stage.provider.clear_faults();
    assert_eq!(stage.post(&renew, &Value::Null).await.0, 202);
    stage.status_becomes(&path, "active").await;
    stage
        .metric_becomes(
            r#"cap_certificates_renewed_total{issuer_type="acme",trigger="manual"}"#,
            1.0,
        )
        .await;
}

#[tokio::test]
async fn what_cannot_pass_is_not_tried_again() {
    let stage = Stage::new().await;
    stage
        .provider
        .inject(Fault::new(Endpoint::NewOrder, FaultKind::Status(403)));
    stage.request("api.example.com").await;
    let event = stage.event("job.dead_lettered").await;
    assert_eq!(event["params"]["error_class"], "auth");
    assert_eq!(stage.answered(Endpoint::NewOrder), [403]);
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    let stage = Stage::new().await;
    let limit = FaultKind::RateLimited {
        retry_after: Duration::from_secs(1),
    };
    stage
        .provider
        .inject(Fault::new(Endpoint::NewOrder, limit).times(1));
    let started = Instant::now();
    stage.issue("api.example.com").await;
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(stage.answered(Endpoint::NewOrder), [429, 201]);
}

#[tokio::test]
async fn a_job_that_was_running_when_the_process_died_runs_again() {
    let folder = Folder::new("restart");
    let location = Location::File(folder.0.join("certautopilot.db"));
    let store = Store::open(&location, "here", Tracer::disabled(), |_| {}).unwrap();
    let (certificate, job) = pending("api.example.com");
    let id = certificate.id.clone();
    store
        .write("insert", "certificates", move |work| {
            certificates::insert(work, &certificate)?;
            jobs::insert(work, &job)
        })
        .await
        .unwrap();
    let claim = |work: &mut Work<'_>| jobs::claim(work, "here", Utc::now());
    let claimed: Result<_, Error> = store.write("update", "jobs", claim).await;
    assert_eq!(claimed.unwrap().unwrap().attempt, 1);
    drop(store);

    let stage = Stage::with(|config| config.database = location).await;
    let path = format!("/projects/p1/certificates/{id}");
    stage.status_becomes(&path, "active").await;
    let store = stage.service.store().clone();
    assert!(stage.service.stop().await);
    assert_eq!(running(&store).await, 0);
}

pub(crate) fn pending(domain: &str) -> (Certificate, Job) {
    let certificate = Certificate::pending("crt_1", "p1", domain, "acme");
    let issue = Task::Issue {
        certificate: "crt_1".to_owned(),
    };
    let (carrier, alice) = (Carrier::default(), Actor::user("alice@example.com"));
    let job = Job::new("job_1".to_owned(), issue, carrier, alice);
    (
        certificate,
        Job {
            project: Some("p1".to_owned()),
            ..job
        },
    )
}

/// How many jobs are running.
pub(crate) async fn running(store: &Store) -> u32 {
    let ask = |db: &rusqlite::Connection| {
        let sql = "SELECT count(*) FROM jobs WHERE state = 'running'";
        Ok::<_, Error>(db.query_row(sql, [], |row| row.get(0))?)
    };
    store.read("jobs", ask).await.unwrap()
}
