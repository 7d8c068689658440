//! The situations in which the alerts are tested.

use std::collections::BTreeMap;

use super::{Case, Firing, flat, literal, lost, not_yet};

mod expected;

use expected::{expired, expires_soon, given_up, not_ready, renewal_fails, words};

pub(super) const REPLICA_0: &str =
    r#"cluster="prod",namespace="pki",job="certautopilot",instance="cap-0:8181""#;
pub(super) const REPLICA_1: &str =
    r#"cluster="prod",namespace="pki",job="certautopilot",instance="cap-1:8181""#;
const STAGING: &str =
    r#"cluster="staging",namespace="pki",job="certautopilot",instance="cap-0:8181""#;
const DEVELOPMENT: &str =
    r#"cluster="dev",namespace="pki",job="certautopilot",instance="cap-0:8181""#;
const STANDALONE: &str = r#"job="certautopilot",instance="cap-host.internal:18181""#;

const CERTIFICATES: &str = "cap_certificates_total";
const EXPIRING: &str = "cap_certificates_expiring_in_days";
const LAGGARDS: &str = "cap_kek_cluster_laggards_total";
const DEAD_LETTER: &str = "cap_jobs_dead_letter_total";
const EXPIRES_IN: &str = "cap_license_expires_in_seconds";

const FAILED_ACME: &str = r#"status="renewal_failed",issuer_type="acme""#;
const FAILED_MSCA: &str = r#"status="renewal_failed",issuer_type="msca""#;
const UNDER_7: &str = r#"threshold="7""#;

const CERT: &str = "CertRenewalFailingAndExpiring";
const KEK: &str = "KEKClusterNotReady";
const JOBS: &str = "JobDeadLetterRising";
const LICENSE: &str = "LicenseExpiringSoon";

const DAY: i64 = 24 * 60 * 60;

pub(super) fn all() -> Vec<Case> {
    vec![
        healthy(),
        renewals_fail(),
        rollouts(),
        laggards(),
        finished_target(),
        dead_letters(),
        license_runs_out(),
        expired_license(),
        perpetual_license(),
        lost_scrapes(),
        standalone(),
    ]
}

fn healthy() -> Case {
    let hours = 4 * 60;
    let case = Case::new("a healthy service with two replicas is silent")
        .replicas(
            CERTIFICATES,
            r#"status="active",issuer_type="acme""#,
            &[flat(120, hours)],
        )
        .replicas(CERTIFICATES, FAILED_ACME, &[flat(0, hours)])
        .replicas(EXPIRING, UNDER_7, &[flat(0, hours)])
        .replicas(EXPIRING, r#"threshold="30""#, &[flat(9, hours)])
        .replicas(LAGGARDS, r#"target="8""#, &[flat(0, hours)])
        .replicas(DEAD_LETTER, r#"type="renew""#, &[flat(7, hours)])
        .replicas(EXPIRES_IN, "", &[flat(90 * DAY, hours)]);
    ["0m", "15m", "1h", "2h", "3h59m"]
        .into_iter()
        .fold(case, |case, time| {
            [CERT, KEK, JOBS, LICENSE]
                .into_iter()
                .fold(case, |case, alert| case.silent(time, alert))
        })
}

fn renewals_fail() -> Case {
    let failing = |count| [flat(0, 10), flat(count, 140), flat(0, 30)];
    let firing = renewal_fails("3");
    Case::new("failing renewals fire once per installation after an hour, and the literal form never does")
        .replicas(CERTIFICATES, FAILED_ACME, &failing(2))
        .replicas(CERTIFICATES, FAILED_MSCA, &failing(1))
        .replicas(EXPIRING, UNDER_7, &[flat(1, 180)])
        // Neither of these two is in danger, though both together would be.
        .series(CERTIFICATES, STAGING, FAILED_ACME, &[flat(5, 180)])
        .series(EXPIRING, STAGING, UNDER_7, &[flat(0, 180)])
        .series(CERTIFICATES, DEVELOPMENT, FAILED_ACME, &[flat(0, 180)])
        .series(EXPIRING, DEVELOPMENT, UNDER_7, &[flat(4, 180)])
        .silent("1h9m30s", CERT)
        .fires("1h10m", CERT, &[&firing])
        .fires("2h29m30s", CERT, &[&firing])
        .silent("2h30m", CERT)
        .silent("1h10m", literal::NAME)
        .silent("2h29m30s", literal::NAME)
        .results("2h", literal::LEFT, 5)
        .results("2h", literal::RIGHT, 3)
        .results("2h", &literal::expr(), 0)
}

fn rollouts() -> Case {
    let lifetimes = [
        vec![flat(2, 40), lost(140)],
        vec![not_yet(42), flat(2, 40), lost(98)],
        vec![not_yet(84), flat(2, 96)],
    ];
    let case = Case::new("pods replaced every 40 minutes do not start the hold anew");
    let case = ["cap-7f-a", "cap-7f-b", "cap-7f-c"].into_iter().zip(&lifetimes).fold(
        case,
        |case, (pod, values)| {
            let target = format!(
                r#"cluster="prod",namespace="pki",job="certautopilot",pod="{pod}",instance="{pod}:8181""#
            );
            case.series(CERTIFICATES, &target, FAILED_ACME, values)
                .series(EXPIRING, &target, UNDER_7, values)
                .series(LAGGARDS, &target, r#"target="8""#, values)
        },
    );
    case.silent("59m30s", CERT)
        .fires("1h", CERT, &[&renewal_fails("2")])
        .fires("1h23m", CERT, &[&renewal_fails("2")])
        .silent("4m30s", KEK)
        .fires("5m", KEK, &[&not_ready("8", "2")])
        .fires("41m", KEK, &[&not_ready("8", "2")])
        .fires("1h23m", KEK, &[&not_ready("8", "2")])
}

fn laggards() -> Case {
    let target = r#"target="8""#;
    Case::new("laggards fire once per target after 5 minutes, however the replicas count them")
        .series(
            LAGGARDS,
            REPLICA_0,
            target,
            &[flat(0, 10), flat(2, 20), flat(0, 10)],
        )
        .series(
            LAGGARDS,
            REPLICA_1,
            target,
            &[flat(0, 10), flat(1, 20), flat(0, 10)],
        )
        .replicas(LAGGARDS, r#"target="9""#, &[flat(0, 12), flat(3, 28)])
        .silent("14m30s", KEK)
        .fires("15m", KEK, &[&not_ready("8", "2")])
        .fires("17m", KEK, &[&not_ready("8", "2"), &not_ready("9", "3")])
        .fires("30m", KEK, &[&not_ready("9", "3")])
}

fn finished_target() -> Case {
    Case::new("a target whose series is gone resolves within ten minutes")
        .replicas(LAGGARDS, r#"target="8""#, &[flat(1, 20), lost(40)])
        .fires("28m", KEK, &[&not_ready("8", "1")])
        .silent("31m", KEK)
}

fn dead_letters() -> Case {
    let kind = r#"type="renew""#;
    let firing = given_up("renew", "2");
    Case::new("one dead letter in each replica is one alert after 15 minutes, and none when it is half an hour old")
        .series(DEAD_LETTER, REPLICA_0, kind, &[flat(0, 10), flat(1, 50)])
        .series(DEAD_LETTER, REPLICA_1, kind, &[flat(4, 12), flat(5, 48)])
        .replicas(DEAD_LETTER, r#"type="deploy""#, &[flat(3, 60)])
        .silent("24m30s", JOBS)
        .fires("25m", JOBS, &[&firing])
        .fires("39m", JOBS, &[&firing])
        .silent("43m", JOBS)
}

fn license_runs_out() -> Case {
    // 30 seconds less at every scrape, and 7 days are 604800 seconds.
    let values = ["604980-30x60".to_owned()];
    Case::new("a license fires at once when less than 7 days are left")
        .replicas(EXPIRES_IN, "", &values)
        .silent("3m", LICENSE)
        .fires("3m30s", LICENSE, &[&expires_soon("6d 23h 59m 30s")])
}

fn expired_license() -> Case {
    Case::new("an expired license keeps firing")
        .replicas(EXPIRES_IN, "", &[flat(-30 * DAY, 60)])
        .fires("0m", LICENSE, &[&expired()])
        .fires("59m", LICENSE, &[&expired()])
}

fn perpetual_license() -> Case {
    Case::new("a license that is perpetual, or not known yet, is silent")
        .replicas("cap_license_valid", "", &[flat(1, 60)])
        .series(EXPIRES_IN, STAGING, "", &[not_yet(5), flat(90 * DAY, 55)])
        .silent("0m", LICENSE)
        .silent("4m", LICENSE)
        .silent("59m", LICENSE)
}

fn lost_scrapes() -> Case {
    let always = |value| {
        [
            flat(value, 30),
            lost(5),
            flat(value, 45),
            lost(5),
            flat(value, 35),
        ]
    };
    Case::new("lost scrapes resolve nothing and start no hold anew")
        .replicas(CERTIFICATES, FAILED_ACME, &always(1))
        .replicas(EXPIRING, UNDER_7, &always(1))
        .replicas(LAGGARDS, r#"target="8""#, &always(1))
        .series(
            DEAD_LETTER,
            REPLICA_0,
            r#"type="renew""#,
            &[
                flat(0, 30),
                lost(5),
                flat(0, 40),
                flat(1, 5),
                lost(5),
                flat(1, 35),
            ],
        )
        .replicas(EXPIRES_IN, "", &always(DAY))
        .silent("59m30s", CERT)
        .fires("1h", CERT, &[&renewal_fails("1")])
        .fires("1h24m", CERT, &[&renewal_fails("1")])
        .fires("34m", KEK, &[&not_ready("8", "1")])
        .fires("1h24m", KEK, &[&not_ready("8", "1")])
        .silent("1h29m30s", JOBS)
        .fires("1h30m", JOBS, &[&given_up("renew", "1")])
        .fires("34m", LICENSE, &[&expires_soon("1d 0h 0m 0s")])
        .fires("1h24m", LICENSE, &[&expires_soon("1d 0h 0m 0s")])
}

fn standalone() -> Case {
    Case::new("without cluster and namespace labels the words leave them out")
        .series(EXPIRES_IN, STANDALONE, "", &[flat(DAY, 10)])
        .fires(
            "0m",
            LICENSE,
            &[&Firing {
                exp_labels: BTreeMap::from([("job", "certautopilot"), ("severity", "warning")]),
                exp_annotations: words(
                    LICENSE,
                    "var-cluster=&var-namespace=&var-job=certautopilot",
                    "The license expires soon",
                    "The license expires in 1d 0h 0m 0s. Install a new one. Reported by job=certautopilot.",
                ),
            }],
        )
}
