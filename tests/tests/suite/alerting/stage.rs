//! The fleet, its provider, and what watches it.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, SystemTime};

use cap_alerts::{Options, Profile};
use cap_tests::fleet::Fleet;
use cap_tests::peers::{Alertmanager, Prometheus};
use cap_tests::{ANY_PORT, Webhook};
use certautopilot::acme_server::AcmeServer;
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// How long to wait for what must happen: minutes, for a machine that does much else.
const PATIENCE: Duration = Duration::from_secs(120);

/// What takes minutes to hours takes seconds here; expressions, labels and words stay. Half of all
/// jobs fail, which burns their budget. That alert has two minutes, and this test is not about it.
const SHORTENED: &str = "
profile: extended
alerts:
  CertRenewalFailingAndExpiring: {for: 2s, window: 30s}
  KEKClusterNotReady: {for: 2s, window: 30s}
  JobDeadLetterRising: {for: 2s, window: 15s}
  LicenseExpiringSoon: {window: 30s}
  LicenseInvalid: {for: 1ms, window: 30s}
  CertAutoPilotDown: {for: 2s}
  JobSuccessBudgetBurn1h: {enabled: false}
";

pub(crate) struct Stage {
    pub(crate) fleet: Fleet,
    pub(crate) acme: AcmeServer,
    webhook: Webhook,
    prometheus: Prometheus,
    alertmanager: Alertmanager,
}

impl Stage {
    pub(crate) async fn start(prometheus: &Path, alertmanager: &Path) -> Self {
        let acme = AcmeServer::start(ANY_PORT).await.expect("a provider");
        let settings = json!({ "acme": { "directory_url": acme.url() } });
        let fleet = Fleet::start(3, &settings).await.expect("a fleet");
        let webhook = Webhook::start().expect("a webhook");
        let config = notifying(&webhook.url());
        let alertmanager = Alertmanager::start(alertmanager, &config).await;
        let alertmanager = alertmanager.expect("Alertmanager");
        let config = watching(&fleet.targets(), &alertmanager.target());
        let mut options = Options::default();
        options.apply(SHORTENED).expect("known alerts");
        assert_eq!(options.profile, Profile::Extended);
        let rules = cap_alerts::rules_file(&options);
        let rules = Some(("certautopilot.rules.yml", rules.as_str()));
        let prometheus = Prometheus::with_config(prometheus, &config, rules).await;
        Stage { fleet, acme, webhook, prometheus: prometheus.expect("Prometheus"), alertmanager }
    }

    /// Waits until every rule was evaluated over every replica, and finds no alert firing.
    pub(crate) async fn nothing_fires(&self) {
        self.until("every replica is scraped twice", async |stage| {
            let counted =
                "count(count_over_time(cap_jobs_dead_letter_total{type=\"issue\"}[1m]) > 1)";
            let result = stage.prometheus.query(counted).await;
            result.is_ok_and(|result| result[0]["value"][1] == json!("3"))
        })
        .await;
        // A certificate with a day left and nothing renewed is pending for hours, and rightly so.
        let alerts = self.prometheus.alerts().await.expect("alerts");
        let firing = alerts.iter().filter(|alert| alert["state"] == "firing");
        assert_eq!(firing.collect::<Vec<_>>(), [&Value::Null; 0]);
    }

    pub(crate) async fn status_becomes(&self, replica: usize, certificate: &str, status: &str) {
        let holds =
            async |stage: &Self| stage.fleet.get(replica, certificate).await["status"] == status;
        self.until(status, holds).await;
    }

    pub(crate) async fn install_license(&self, replica: usize, left: Duration) {
        self.license(replica, SystemTime::now() + left).await;
    }

    pub(crate) async fn expire_license(&self, replica: usize) {
        self.license(replica, SystemTime::now() - Duration::from_secs(1)).await;
    }

    async fn license(&self, replica: usize, end: SystemTime) {
        let end = chrono::DateTime::<chrono::Utc>::from(end).to_rfc3339();
        let license = json!({ "expires_at": end, "cert_limit": 100 });
        self.fleet.call(replica, Method::PUT, "/license", license, StatusCode::OK).await;
    }

    pub(crate) async fn post(&self, replica: usize, path: &str) {
        self.fleet.call(replica, Method::POST, path, Value::Null, StatusCode::ACCEPTED).await;
    }

    /// Waits until this was notified, with these words in the description.
    pub(crate) async fn notified(&self, said: &str, words: &str) {
        let wanted = |all: &Vec<cap_tests::Notification>| all.iter().any(|one| one.said() == said);
        let found = self.webhook.wait_for(wanted, PATIENCE).await;
        assert!(found, "not notified: {said}\n{:#?}\n{}", self.seen(), self.fleet.logs());
        let all = self.webhook.notifications();
        let one = all.iter().find(|one| one.said() == said).expect("it was there");
        let description = one.alerts[0].annotations["description"].as_str().unwrap_or_default();
        assert!(description.contains(words), "{words:?} is not in {description:?}");
    }

    /// Waits until an alert fires that Alertmanager keeps back because of another.
    pub(crate) async fn inhibited(&self, alert: &str) {
        self.until(alert, async |stage| {
            let alerts = stage.alertmanager.alerts().await.unwrap_or_default();
            alerts.iter().any(|known| {
                let by = known["status"]["inhibitedBy"].as_array();
                known["labels"]["alertname"] == alert && by.is_some_and(|by| !by.is_empty())
            })
        })
        .await;
    }

    /// The notifications by the name of the alert.
    pub(crate) fn seen(&self) -> BTreeMap<String, Vec<String>> {
        let mut seen = BTreeMap::<_, Vec<_>>::new();
        for notification in self.webhook.notifications() {
            let name = notification.alerts[0].labels["alertname"].as_str();
            seen.entry(name.unwrap_or_default().to_owned()).or_default().push(notification.said());
        }
        seen
    }

    pub(crate) async fn until(&self, what: &str, holds: impl AsyncFn(&Self) -> bool) {
        let asking = async {
            // Programs outside cannot notify us.
            let mut ticks = tokio::time::interval(Duration::from_millis(50));
            while !holds(self).await {
                ticks.tick().await;
            }
        };
        let held = tokio::time::timeout(PATIENCE, asking).await.is_ok();
        assert!(held, "still waiting: {what}\n{:#?}\n{}", self.seen(), self.fleet.logs());
    }

    pub(crate) async fn end(self) {
        self.prometheus.stop().await.expect("Prometheus ends");
        self.alertmanager.stop().await.expect("Alertmanager ends");
        self.acme.stop().await;
    }
}

/// The committed file at this path.
fn committed(path: &str) -> Value {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
    let text = std::fs::read_to_string(format!("{root}/{path}")).expect(path);
    serde_saphyr::from_str(&text).expect("it is YAML")
}

/// The committed scrape configuration with our targets and Alertmanager, twice a second.
fn watching(targets: &[String], alertmanager: &str) -> Value {
    let mut config = committed("deploy/prometheus/scrape.yml");
    for interval in ["scrape_interval", "evaluation_interval"] {
        config["global"][interval] = json!("500ms");
    }
    config["scrape_configs"][0]["scrape_interval"] = json!("500ms");
    config["scrape_configs"][0]["static_configs"][0]["targets"] = json!(targets);
    config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] = json!([alertmanager]);
    config
}

/// The generated Alertmanager configuration with our receiver, and with waits of seconds.
fn notifying(url: &str) -> Value {
    let mut config = committed("deploy/alertmanager/alertmanager.yml");
    config["receivers"][0]["webhook_configs"] = json!([{ "url": url, "send_resolved": true }]);
    config["route"]["group_wait"] = json!("2s");
    config["route"]["group_interval"] = json!("1s");
    config
}
