//! The reference service and a real ACME server that validates names, refuses good nonces, and is
//! at times away.

use std::path::PathBuf;
use std::time::Duration;

use cap_tests::Scraper;
use cap_tests::fleet::Fleet;
use cap_tests::peers::Pebble;
use cap_tests::require;
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);

struct Stage {
    pebble: Pebble,
    fleet: Fleet,
}

impl Stage {
    async fn new([pebble, dns]: [PathBuf; 2], settings: impl FnOnce(&Pebble) -> Value) -> Self {
        let pebble = Pebble::start(&pebble, &dns).await.expect("it starts");
        let fleet = Fleet::start(1, &settings(&pebble)).await;
        let fleet = fleet.expect("a service");
        Stage { pebble, fleet }
    }

    async fn becomes(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let looking = async {
            loop {
                let now = self.fleet.get(0, path).await;
                if holds(&now) {
                    return now;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        match tokio::time::timeout(PATIENCE, looking).await {
            Ok(found) => found,
            Err(_) => panic!(
                "{path} did not become as wanted within {PATIENCE:?}\n{}\n{}",
                self.fleet.logs(),
                self.pebble.log()
            ),
        }
    }

    async fn external(&self, endpoint: &str, status: &str) -> f64 {
        let scraper = Scraper::new(&format!("http://{}/metrics", self.fleet.targets()[0]));
        let scrape = scraper.scrape().await.expect("metrics");
        let labels = [("provider", "acme"), ("endpoint", endpoint), ("status", status)];
        let counted = scrape.value("cap_external_request_duration_seconds_count", &labels);
        counted.unwrap_or(0.0)
    }

    async fn stop(mut self) {
        self.fleet.stop().await.expect("it stops");
        self.pebble.stop().await.expect("it stops");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_server_issues_through_refused_nonces_and_a_503() {
    let programs = [require!("pebble"), require!("pebble-challtestsrv")];
    let stage = Stage::new(programs, Pebble::settings).await;
    stage.pebble.refuse_next(1);
    let mut refused_nonces = 0.0;
    let mut names = ["api.example.com", "*.example.com", "www.example.com"]
        .map(str::to_owned)
        .into_iter()
        .chain((0..30).map(|n| format!("host-{n}.example.com")));
    let mut issued = 0;
    // Until it has happened: which nonces are refused is Pebble's to choose.
    while issued < 3 || refused_nonces == 0.0 {
        let path = stage.fleet.request(0, &names.next().expect("a nonce is refused")).await;
        let certificate = stage.becomes(&path, |now| now["status"] == "active").await;
        let pem = certificate["pem"].as_str().expect("a certificate");
        assert_eq!(pem.matches("BEGIN CERTIFICATE").count(), 2, "{pem}");
        issued += 1;
        for endpoint in ["new-account", "new-order", "challenge", "finalize"] {
            refused_nonces += stage.external(endpoint, "400").await;
        }
    }
    assert_eq!(stage.external("new-account", "503").await, 1.0);
    assert!(stage.external("unknown", "200").await < 1.0, "every URL was announced");
    stage.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_without_proof_is_not_issued_and_the_reason_is_kept() {
    let programs = [require!("pebble"), require!("pebble-challtestsrv")];
    let stage = Stage::new(programs, Pebble::settings_without_dns).await;
    stage.fleet.request(0, "unproven.example.com").await;
    let given_up = |log: &Value| {
        let mut events = log["events"].as_array().into_iter().flatten();
        events.any(|event| event["event_type"] == "job.dead_lettered")
    };
    let log = stage.becomes("/audit", given_up).await;
    assert!(log.to_string().contains("TXT"), "{log}");
    stage.stop().await;
}
