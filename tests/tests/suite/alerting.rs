//! From a fault in the service to one notification, and to its end after the repair: three
//! replicas, Prometheus with the generated scrape configuration and rules, Alertmanager with the
//! generated inhibit rules.

mod stage;

use std::time::Duration;

use cap_tests::require;
use certautopilot::Endpoint;
use certautopilot::acme_server::{Fault, FaultKind};
use serde_json::json;

use stage::Stage;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// All notifications of the test, in order within each group of alerts.
const SEEN: &[(&str, &[&str])] = &[
    (
        "CertRenewalFailingAndExpiring",
        &["firing CertRenewalFailingAndExpiring{}", "resolved CertRenewalFailingAndExpiring{}"],
    ),
    (
        "KEKClusterNotReady",
        &[r#"firing KEKClusterNotReady{target="2"}"#, r#"resolved KEKClusterNotReady{target="2"}"#],
    ),
    (
        // The second is the renewal's own job.
        "JobDeadLetterRising",
        &[
            r#"firing JobDeadLetterRising{type="issue"}"#,
            r#"resolved JobDeadLetterRising{type="issue"}"#,
            r#"firing JobDeadLetterRising{type="renew"}"#,
            r#"resolved JobDeadLetterRising{type="renew"}"#,
        ],
    ),
    ("LicenseExpiringSoon", &["firing LicenseExpiringSoon{}", "resolved LicenseExpiringSoon{}"]),
    ("LicenseInvalid", &["firing LicenseInvalid{}", "resolved LicenseInvalid{}"]),
    ("CertAutoPilotDown", &["firing CertAutoPilotDown{}"]),
];

#[tokio::test(flavor = "multi_thread")]
async fn every_fault_is_notified_once_and_resolves_after_its_repair() {
    let (prometheus, alertmanager) = (require!("prometheus"), require!("alertmanager"));
    let mut stage = Stage::start(&prometheus, &alertmanager).await;

    // A certificate with a day left, from which renewals start.
    let a_day = Fault::new(Endpoint::Finalize, FaultKind::ValidFor(DAY));
    stage.acme.inject(a_day.identifier("short.example").times(1));
    let short = stage.fleet.request(1, "short.example").await;
    stage.status_becomes(2, &short, "active").await;
    stage.nothing_fires().await;

    // Three faults: no certificate for this name, a license in its last week, a host without the
    // KEK's source.
    let refused = |name| Fault::new(Endpoint::Finalize, FaultKind::Status(403)).identifier(name);
    stage.acme.inject(refused("refused.example"));
    let certificate = stage.fleet.request(0, "refused.example").await;
    stage.install_license(1, 7 * DAY + Duration::from_secs(3)).await;
    stage.fleet.unmount_master_key(2).expect("its file");
    stage.post(0, "/kek/rotations").await;
    stage.notified(r#"firing JobDeadLetterRising{type="issue"}"#, "in the last 15s: 1.").await;
    stage.notified("firing LicenseExpiringSoon{}", "The license expires in 6d 23h").await;
    stage
        .notified(r#"firing KEKClusterNotReady{target="2"}"#, "Hosts without KEK version 2: 1.")
        .await;

    // As the runbooks say.
    stage.acme.clear_faults();
    let dead = stage.fleet.get(2, "/jobs/dead").await["jobs"].take();
    assert_eq!((dead[0]["type"].as_str(), dead[1].is_null()), (Some("issue"), true), "{dead}");
    let id = dead[0]["id"].as_str().expect("an id");
    stage.post(2, &format!("/jobs/dead/{id}/requeue")).await;
    stage.status_becomes(0, &certificate, "active").await;
    stage.install_license(2, 365 * DAY).await;
    stage.fleet.mount_master_key(2).expect("its file");
    stage.notified("resolved LicenseExpiringSoon{}", "").await;
    stage.notified(r#"resolved KEKClusterNotReady{target="2"}"#, "").await;
    stage.notified(r#"resolved JobDeadLetterRising{type="issue"}"#, "").await;
    stage
        .until("the keys are re-wrapped", async |stage| {
            stage.fleet.get(1, &short).await["kek_version"] == json!(2)
        })
        .await;

    stage.acme.inject(refused("short.example"));
    stage.post(0, &format!("{short}/renew")).await;
    stage
        .notified("firing CertRenewalFailingAndExpiring{}", "Certificates whose renewal failed: 1.")
        .await;
    stage.notified(r#"firing JobDeadLetterRising{type="renew"}"#, "in the last 15s: 1.").await;
    stage.acme.clear_faults();
    stage.post(1, &format!("{short}/renew")).await;
    stage.notified("resolved CertRenewalFailingAndExpiring{}", "").await;
    stage.notified(r#"resolved JobDeadLetterRising{type="renew"}"#, "").await;

    // An expired license is invalid: that it expires soon is not worth a notification any more.
    stage.expire_license(0).await;
    stage.notified("firing LicenseInvalid{}", "").await;
    stage.inhibited("LicenseExpiringSoon").await;
    stage.install_license(1, 365 * DAY).await;
    stage.notified("resolved LicenseInvalid{}", "").await;

    stage.fleet.stop().await.expect("they end in order");
    stage.notified("firing CertAutoPilotDown{}", "No replica answers").await;

    let seen = stage.seen();
    let seen: Vec<_> = (seen.iter())
        .map(|(group, said)| (group.as_str(), said.iter().map(String::as_str).collect::<Vec<_>>()))
        .collect();
    let mut wanted: Vec<_> = SEEN.iter().map(|(group, said)| (*group, said.to_vec())).collect();
    wanted.sort_unstable();
    assert_eq!(seen, wanted);
    stage.end().await;
}
