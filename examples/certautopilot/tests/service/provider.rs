//! External calls: what the provider sees, what it signs, and what its failures are called.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use axum::http::Method;
use cap_testkit::ANY_PORT;
use certautopilot::Endpoint;
use certautopilot::acme_server::{AcmeServer, Fault, FaultKind};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use x509_parser::extensions::GeneralName;
use x509_parser::pem::Pem;

use crate::harness::{CERTIFICATES, Stage, database};

#[tokio::test]
async fn the_provider_gets_the_trace_context_and_no_baggage() {
    let stage = Stage::new().await;
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let traceparent = format!("00-{trace}-b7ad6b7169203331-01");
    let headers = [("traceparent", &*traceparent), ("baggage", "tenant=o1")];
    let wanted = json!({ "domain": "api.example.com" });
    let (_, body) = stage.ask(Method::POST, CERTIFICATES, &wanted, &headers).await;
    let path = format!("{CERTIFICATES}/{}", body["id"].as_str().unwrap());
    stage.becomes(&path, "status", "active").await;

    let calls = stage.provider.calls();
    let endpoints: Vec<_> = calls.iter().map(|call| call.endpoint.as_str()).collect();
    let expected = "directory new-nonce new-account new-nonce new-order authorization challenge \
                    order finalize certificate";
    assert_eq!(endpoints.join(" "), expected);
    for call in calls {
        assert!(call.traceparent.unwrap().contains(trace));
        assert_eq!(call.baggage, None);
    }
}

#[tokio::test]
async fn what_is_issued_is_signed_by_the_authority_for_the_name() {
    let stage = Stage::new().await;
    let path = stage.issue("*.example.com").await;
    let pem = stage.get(&path).await["pem"].as_str().unwrap().to_owned();
    let chain = Pem::iter_from_buffer(pem.as_bytes()).collect::<Result<Vec<_>, _>>().unwrap();
    let leaf = chain[0].parse_x509().unwrap();
    let authority = chain[1].parse_x509().unwrap();
    assert!(stage.provider.authority().contains(&pem[pem.len() - 100..]));
    assert_eq!(leaf.issuer(), authority.subject());
    leaf.verify_signature(Some(authority.public_key())).unwrap();
    let names = leaf.subject_alternative_name().unwrap().unwrap();
    assert_eq!(names.value.general_names, [GeneralName::DNSName("*.example.com")]);
}

#[tokio::test]
async fn certificates_live_90_days_unless_a_fault_shortens_them() {
    let stage = Stage::new().await;
    let a_day = FaultKind::ValidFor(Duration::from_secs(24 * 3600));
    let fault = Fault::new(Endpoint::Finalize, a_day);
    stage.provider.inject(fault.identifier("short.example.com"));
    for (domain, days) in [("short.example.com", 1), ("long.example.com", 90)] {
        let path = stage.issue(domain).await;
        let shown = stage.get(&path).await;
        let end: DateTime<Utc> = shown["not_after"].as_str().unwrap().parse().unwrap();
        let left = end - Utc::now();
        assert!((left - TimeDelta::days(days)).abs() < TimeDelta::minutes(1), "{left}");
    }
    for (threshold, count) in [("7", 1.0), ("90", 2.0)] {
        let series = format!(r#"cap_certificates_expiring_in_days{{threshold="{threshold}"}}"#);
        assert_eq!(stage.metric(&series), count);
    }
}

#[tokio::test]
async fn the_account_is_kept_beside_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("service.sqlite.acme-account.json");
    let stage = Stage::with(|config| config.database = database(folder.path())).await;
    let path = stage.issue("api.example.com").await;
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "it holds a private key");

    let stage = stage.restart(|config| config.database = database(folder.path())).await;
    stage.issue("www.example.com").await;
    assert_eq!(stage.post(&format!("{path}/revoke"), &Value::Null).await.0, 200);
    assert_eq!(stage.answered(Endpoint::NewAccount), [201]);
}

#[tokio::test]
async fn an_account_that_the_provider_has_forgotten_is_made_anew() {
    let mut stage = Stage::new().await;
    stage.issue("api.example.com").await;
    let address = stage.provider.address();
    let stranger = AcmeServer::start(ANY_PORT).await.unwrap();
    std::mem::replace(&mut stage.provider, stranger).stop().await;
    stage.provider = AcmeServer::start(address).await.unwrap();

    stage.issue("www.example.com").await;
    assert_eq!(stage.answered(Endpoint::NewAccount), [201]);
    assert_eq!(stage.answered(Endpoint::NewOrder), [400, 201]);
}

#[tokio::test]
async fn a_provider_that_is_too_slow_counts_as_the_network() {
    let stage = Stage::with(|config| config.call_timeout = Duration::from_millis(50)).await;
    stage.inject(Endpoint::Directory, FaultKind::Latency(Duration::from_secs(5)), u32::MAX);
    stage.request("api.example.com").await;
    let event = stage.event("job.dead_lettered").await;
    assert_eq!(event["params"]["error_class"], "network");
    let labels = r#"provider="acme",endpoint="directory",status="none""#;
    let count = format!("cap_external_request_duration_seconds_count{{{labels}}}");
    assert_eq!(stage.metric(&count), 3.0);
}

#[tokio::test]
async fn a_provider_that_is_away_does_not_keep_it_from_serving() {
    let nowhere = "http://127.0.0.1:9/directory";
    let stage = Stage::with(|config| config.acme_directory = nowhere.parse().unwrap()).await;
    assert_eq!(stage.get("/readyz").await["status"], "ready");
    stage.request("api.example.com").await;
    let event = stage.event("job.dead_lettered").await;
    assert_eq!(event["params"]["error_class"], "network");
}

#[tokio::test]
async fn a_certificate_is_revoked_once_and_then_stays_so() {
    let stage = Stage::new().await;
    let path = stage.issue("api.example.com").await;
    let post = async |action| stage.post(&format!("{path}/{action}"), &Value::Null).await;
    stage.inject(Endpoint::Revoke, FaultKind::Status(503), 1);
    let (status, problem) = post("revoke").await;
    assert_eq!((status, &problem["status"]), (503, &json!(503)));
    let (status, body) = post("revoke").await;
    assert_eq!((status, &body["status"]), (200, &json!("revoked")));
    assert_eq!(post("revoke").await.0, 409);
    assert_eq!(post("renew").await.0, 409);
    assert_eq!(stage.answered(Endpoint::Revoke), [503, 200]);
    let revoked = r#"cap_certificates_total{status="revoked",issuer_type="acme"}"#;
    assert_eq!(stage.metric(revoked), 1.0);
}

#[tokio::test]
async fn an_issued_certificate_is_distributed_and_discovered() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let stage = Stage::with(|config| {
        config.discovery = Some(folder.to_owned());
        config.distribution = Some(folder.to_owned());
    })
    .await;
    stage.issue("api.example.com").await;
    let executed = r#"cap_distribution_executions_total{module="file",status="success"}"#;
    stage.metric_becomes(executed, 1.0).await;
    let key = fs::read_to_string(folder.join("p1-api.example.com.key")).unwrap();
    assert!(key.starts_with("-----BEGIN PRIVATE KEY-----"));

    let stranger = AcmeServer::start(ANY_PORT).await.unwrap();
    fs::write(folder.join("stranger.pem"), stranger.authority()).unwrap();
    fs::write(folder.join("broken.pem"), "not a certificate").unwrap();
    assert_eq!(stage.post("/webhooks/discover", &Value::Null).await.0, 202);
    let partial = r#"cap_jobs_completed_total{type="discover",result="partial"}"#;
    stage.metric_becomes(partial, 1.0).await;
    assert_eq!(stage.metric(r#"cap_discovery_endpoints_total{source_id="directory"}"#), 2.0);
    assert_eq!(stage.metric(r#"cap_discovery_findings_open{severity="medium"}"#), 1.0);
}

#[tokio::test]
async fn faults_are_injected_over_http_and_misspelled_ones_refused() {
    let stage = Stage::new().await;
    let inject = stage.provider.url().replace("/directory", "/inject");
    let status = async |fault| stage.post(&inject, &fault).await.0;
    let known = json!({ "endpoint": "new-order", "status": 503, "times": 1 });
    assert_eq!(status(known).await, 204);
    for wrong in [
        json!({ "endpoint": "neworder", "status": 503 }),
        json!({ "endpoint": "new-order" }),
        json!({ "endpoint": "new-order", "status": 503, "latency_ms": 5 }),
        json!({ "endpoint": "new-order", "status": 200 }),
    ] {
        assert_eq!(status(wrong).await, 400);
    }
    // One call uses up one refusal.
    stage.inject(Endpoint::NewOrder, FaultKind::Status(502), 1);
    stage.issue("api.example.com").await;
    assert_eq!(stage.answered(Endpoint::NewOrder), [503, 502, 201]);
}
