//! The queue: attempts, waits, dead letters, restarts.

use std::time::{Duration, Instant};

use cap_testkit::{ANY_PORT, LONG, until_async};
use certautopilot::Endpoint;
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use serde_json::{Value, json};

use crate::harness::{Stage, database};
use crate::replicas::running;

#[tokio::test]
async fn a_provider_that_fails_twice_is_asked_a_third_time() {
    let stage = Stage::new().await;
    let fault = Fault::new(Endpoint::Finalize, FaultKind::Status(503));
    stage.provider.inject(fault.identifier("api.example.com").times(2));
    stage.issue("api.example.com").await;
    assert_eq!(stage.answered(Endpoint::Finalize), [503, 503, 200]);
    for (series, value) in [
        (r#"cap_jobs_retry_total{type="issue"}"#, 2.0),
        (r#"cap_jobs_completed_total{type="issue",result="failed"}"#, 2.0),
        (r#"cap_jobs_completed_total{type="issue",result="success"}"#, 1.0),
        (r#"cap_jobs_queued_total{type="distribute"}"#, 1.0),
        (r#"cap_jobs_queued_total{type="notify"}"#, 1.0),
    ] {
        stage.metric_becomes(series, value).await;
    }
}

#[tokio::test]
async fn a_renewal_that_is_given_up_marks_its_certificate() {
    let stage = Stage::new().await;
    let path = stage.issue("api.example.com").await;
    stage.provider.inject(Fault::new(Endpoint::NewOrder, FaultKind::Status(500)));
    let renew = format!("{path}/renew");
    assert_eq!(stage.post(&renew, &Value::Null).await.0, 202);

    let certificate = stage.becomes(&path, "status", "renewal_failed").await;
    let error = certificate["last_error"].as_str().unwrap();
    assert_eq!(error, "acme new-order: answered 500 Internal Server Error");
    assert!(certificate["pem"].is_string(), "the old certificate is still there");
    assert_eq!(stage.answered(Endpoint::NewOrder), [201, 500, 500, 500]);
    let failed = r#"cap_certificates_total{status="renewal_failed",issuer_type="acme"}"#;
    for series in [failed, r#"cap_jobs_dead_letter_total{type="renew"}"#] {
        assert_eq!(stage.metric(series), 1.0);
    }
    for event_type in ["job.dead_lettered", "cert.renewal_failed"] {
        let event = stage.event(event_type).await;
        assert_eq!(event["severity"], "error");
        assert_eq!(event["actor"], "user:alice@example.com");
        assert_eq!(event["params"]["error_class"], "io_transient");
        assert_eq!(event["params"]["attempts"], "3");
    }

    stage.provider.clear_faults();
    assert_eq!(stage.post(&renew, &Value::Null).await.0, 202);
    stage.becomes(&path, "status", "active").await;
    let renewed = r#"cap_certificates_renewed_total{issuer_type="acme",trigger="manual"}"#;
    stage.metric_becomes(renewed, 1.0).await;
}

#[tokio::test]
async fn a_permanent_failure_is_not_retried_until_it_is_requeued() {
    let stage = Stage::new().await;
    stage.inject(Endpoint::NewOrder, FaultKind::Status(403), 1);
    let path = stage.request("api.example.com").await;
    let event = stage.event("job.dead_lettered").await;
    assert_eq!(event["params"]["error_class"], "auth");
    assert_eq!(stage.answered(Endpoint::NewOrder), [403]);
    let dead = stage.get("/jobs/dead").await;
    let [job] = &dead["jobs"].as_array().unwrap()[..] else {
        panic!("{dead}");
    };
    assert_eq!((&job["type"], &job["attempts"]), (&json!("issue"), &json!(1)));
    let error = job["last_error"].as_str().unwrap();
    assert!(error.contains("403"), "{error}");

    let requeue = format!("/jobs/dead/{}/requeue", job["id"].as_str().unwrap());
    assert_eq!(stage.post(&requeue, &Value::Null).await.0, 202);
    stage.becomes(&path, "status", "active").await;
    assert_eq!(stage.event("job.requeued").await["severity"], "warn");
    assert_eq!(stage.get("/jobs/dead").await["jobs"], json!([]));
    assert_eq!(stage.post(&requeue, &Value::Null).await.0, 404, "it is not dead any more");
}

#[tokio::test]
async fn a_rate_limit_is_waited_out() {
    let stage = Stage::new().await;
    let retry_after = Duration::from_secs(1);
    stage.inject(Endpoint::NewOrder, FaultKind::RateLimited { retry_after }, 1);
    let started = Instant::now();
    stage.issue("api.example.com").await;
    assert!(started.elapsed() >= retry_after);
    assert_eq!(stage.answered(Endpoint::NewOrder), [429, 201]);
}

#[tokio::test]
async fn a_job_that_ran_when_the_process_died_runs_again() {
    let folder = tempfile::tempdir().unwrap();
    let provider = AcmeServer::start(ANY_PORT).await.unwrap();
    let hang = FaultKind::Latency(Duration::from_secs(600));
    provider.inject(Fault::new(Endpoint::NewOrder, hang).times(1));
    let stage = Stage::before(provider, |config| config.database = database(folder.path())).await;
    let path = stage.request("api.example.com").await;
    let claimed = async || running(folder.path()) == 1;
    until_async("the first attempt", LONG, claimed).await;
    let Stage { provider, service, .. } = stage;
    drop(service);

    let stage = Stage::before(provider, |config| config.database = database(folder.path())).await;
    stage.becomes(&path, "status", "active").await;
    assert!(stage.service.stop().await);
    assert_eq!(running(folder.path()), 0);
}
