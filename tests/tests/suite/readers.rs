//! Our exposition at its real readers.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use cap_metrics::{
    AuditTotals, CertificateStatus, FindingSeverity, Format, HostKek, HttpMethod, HttpStatus,
    KekLaggards, KekRotation, KekState, KekVersion, LicenseState, Metrics, Outcome, PipelineTotals,
    SpanTotals,
};
use cap_tests::fleet::Fleet;
use cap_tests::peers::Prometheus;
use cap_tests::require;
use cap_tests::scrape::exposition;
use cap_tests::scrape::{Sample, Scrape, Scraper};
use certautopilot::acme_server::AcmeServer;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

/// The complaints of `promtool check metrics` that are accepted: the commissioned names stay.
const ACCEPTED: &[&str] = &[
    "cap_certificates_total non-counter metrics should not have \"_total\" suffix",
    "cap_certificates_expiring_in_days use base unit \"seconds\" instead of \"days\"",
    "cap_kek_cluster_laggards_total non-counter metrics should not have \"_total\" suffix",
    "cap_discovery_sources_total non-counter metrics should not have \"_total\" suffix",
    "cap_discovery_endpoints_total non-counter metrics should not have \"_total\" suffix",
];

/// A registry in which every family has a series.
fn full() -> Metrics {
    let metrics = Metrics::new();
    metrics
        .http()
        .start(HttpMethod::Get, metrics.http().route("/healthz"))
        .record_status(HttpStatus::new(200));
    metrics.jobs().register(["renew"]);
    metrics.jobs().set_queue_depth([("renew", 1)]);
    let certificates = metrics.certificates();
    certificates.register(["acme"]);
    certificates.set_inventory([(CertificateStatus::Active, "acme", 1)]);
    certificates.set_days_left([5.0]);
    metrics.distribution().record_executed("file", cap_metrics::ExecutionStatus::Success);
    metrics.distribution().record_target_result("file", None);
    metrics.kek().register(["local"]);
    let mut kek = KekState::default();
    kek.versions.push(KekVersion::loaded("cap-1", 1));
    kek.current.push(HostKek::new("cap-1", 1));
    kek.laggards.push(KekLaggards::new(1, 0));
    kek.rotations.push(KekRotation::active("r1", 0.5));
    metrics.kek().set_state(&kek);
    metrics.notifications().record_delivered("webhook", Outcome::Success, Duration::from_millis(3));
    metrics.discovery().set_sources([("s1", 4)]);
    metrics.discovery().set_findings([(FindingSeverity::High, 1)]);
    metrics.external().record_called(
        "acme",
        "finalize",
        HttpStatus::NONE,
        Outcome::Failed,
        Duration::from_secs(1),
    );
    let mut license = LicenseState::default();
    license.valid = true;
    license.expires_in_seconds = Some(1.0);
    license.cert_usage = 1;
    metrics.license().set(&license);
    metrics.process().set_build("1.0.0", "abc");
    let mut pipelines = PipelineTotals::default();
    pipelines.spans = Some(SpanTotals::default());
    pipelines.audit = Some(AuditTotals::default());
    pipelines.egress = Some(cap_metrics::EgressTotals::default());
    metrics.pipelines().set(&pipelines);
    metrics
}

#[test]
fn every_family_of_the_catalogue_is_exposed_and_parses() {
    let metrics = full();
    // Each scrape exposes the duration of the one before.
    metrics.render();
    let text = metrics.render();
    let families = exposition::parse(&text).expect("a valid exposition");
    for metric in cap_metrics::METRICS {
        // One says nothing while all is well, and the other nothing where there is no limit.
        let may_be_absent = matches!(
            metric.name,
            "cap_telemetry_series_folded_total" | "process_virtual_memory_max_bytes"
        );
        let exposed = families.get(metric.name).is_some_and(|family| family.help == metric.help);
        assert!(exposed || may_be_absent, "{} is not exposed", metric.name);
    }
}

/// The lines that `promtool check metrics` prints about a body.
fn complaints(promtool: &Path, body: &str) -> Vec<String> {
    let mut check = Command::new(promtool)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs");
    let mut stdin = check.stdin.take().expect("it is piped");
    stdin.write_all(body.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = check.wait_with_output().expect("promtool ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    let said = said.lines().filter(|line| !line.is_empty());
    said.map(str::to_owned).collect()
}

fn only_accepted(complaints: &[String]) {
    let unexpected: Vec<_> =
        complaints.iter().filter(|line| !ACCEPTED.contains(&line.as_str())).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

#[test]
fn promtool_has_only_the_accepted_complaints() {
    let promtool = require!("promtool");
    let complaints = complaints(&promtool, &full().render());
    only_accepted(&complaints);
    let missing: Vec<_> =
        ACCEPTED.iter().filter(|line| !complaints.iter().any(|said| said == *line)).collect();
    assert!(missing.is_empty(), "no longer said, so no longer to be accepted: {missing:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn promtool_accepts_the_reference_service_s_metrics() {
    let promtool = require!("promtool");
    let acme = AcmeServer::start(([127, 0, 0, 1], 0).into()).await;
    let acme = acme.expect("an ACME server");
    let settings = json!({ "acme": { "directory_url": acme.url() } });
    let mut fleet = Fleet::start(1, &settings).await.expect("a service");
    // Two answers that are no success, a job that ends well, a webhook, a rotation.
    let login = json!({ "user": "mallory", "password": "guess" });
    for (method, path, body, expected) in [
        (Method::POST, "/auth/login", login, StatusCode::UNAUTHORIZED),
        (Method::GET, "/nowhere", Value::Null, StatusCode::NOT_FOUND),
        (Method::POST, "/webhooks/ticket", json!({ "ticket": 1 }), StatusCode::ACCEPTED),
        (Method::POST, "/kek/rotations", Value::Null, StatusCode::ACCEPTED),
    ] {
        fleet.call(0, method, path, body, expected).await;
    }
    fleet.request(0, "www.example.com").await;

    let scraper = Scraper::new(&format!("http://{}/metrics", fleet.targets()[0]));
    let scraping = scraper.run_every(Duration::from_millis(100));
    let issued = |scrape: &Scrape| {
        let issued = |sample: &&Sample| sample.name == "cap_certificates_issued_total";
        scrape.samples().filter(issued).any(|one| one.value > 0.0)
    };
    let limit = Duration::from_secs(60);
    scraper.until("an issued certificate", limit, issued).await;
    scraping.stop().await;
    let body = scraper.text().await.expect("a body");
    let complaints = complaints(&promtool, &body);
    only_accepted(&complaints);
    // It read the families of the service, and not an empty body.
    assert!(complaints.iter().any(|line| line == ACCEPTED[0]));
    fleet.stop().await.expect("it stops");
    acme.stop().await;
}

/// Answers every request with the metrics in one format, whatever was asked for; the address.
async fn target(metrics: Metrics, format: Format) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = listener.local_addr().expect("bound").to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n")
                && stream.read_buf(&mut request).await.is_ok_and(|n| n > 0)
            {}
            let mut body = Vec::new();
            metrics.encode(format, &mut body);
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                format.content_type(),
                body.len(),
            );
            let _ = stream.write_all(&[head.as_bytes(), &body].concat()).await;
        }
    });
    addr
}

/// The series that Prometheus stored of one target, without their instance, with values.
async fn stored(prometheus: &Prometheus, instance: &str) -> BTreeMap<String, String> {
    // These move from scrape to scrape, or are Prometheus' own.
    let query = format!(
        r#"{{instance="{instance}", __name__=~"cap_.+", __name__!="cap_telemetry_scrape_duration_seconds"}}"#
    );
    let Value::Array(series) = prometheus.query(&query).await.expect("an answer") else {
        panic!("not a vector");
    };
    let series = series.into_iter().map(|mut series| {
        let mut labels = series["metric"].take();
        labels.as_object_mut().expect("labels").remove("instance");
        (labels.to_string(), series["value"][1].to_string())
    });
    series.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_stores_the_same_series_of_both_formats() {
    let program = require!("prometheus");
    let metrics = full();
    // Each scrape exposes figures of the one before.
    metrics.render();
    let text = target(metrics.clone(), Format::Text).await;
    let open = target(metrics.clone(), Format::OpenMetrics).await;
    let every = Duration::from_millis(200);
    let prometheus =
        Prometheus::start(&program, &[&text, &open], "", every).await.expect("it starts");
    let both = |result: &Value| result[0]["value"][1] == "2";
    let up = prometheus.wait_for("count(up == 1)", both, Duration::from_secs(30)).await;
    assert!(up, "{}", prometheus.process().log());

    let (of_text, of_open) = (stored(&prometheus, &text).await, stored(&prometheus, &open).await);
    assert_eq!(of_text, of_open);
    // Nothing was left out of both alike.
    let lines = metrics.render();
    let samples = lines.lines().filter(|line| {
        line.starts_with("cap_") && !line.starts_with("cap_telemetry_scrape_duration_seconds")
    });
    assert_eq!(of_text.len(), samples.count());
    prometheus.stop().await.expect("it stops");
}
