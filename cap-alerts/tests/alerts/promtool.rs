//! promtool on the rule files: it loads them, and the alerts fire when they must and only then.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cap_alerts::{Options, Profile, alerts};
use cap_testkit::require;
use serde_json::Value;

use crate::checkout::{files_below, root, text, yaml};

const RULES: &str = "deploy/prometheus/certautopilot.rules.yml";
const AS_WRITTEN: &str = "deploy/prometheus/proof/as-written.rules.yml";
const EXTENDED: &str = "deploy/prometheus/certautopilot-extended.rules.yml";
const TESTS: &str = "deploy/prometheus/tests/alerts.test.yml";
const EXTENDED_TESTS: [&str; 2] =
    ["deploy/prometheus/tests/extended.test.yml", "deploy/prometheus/tests/extended-day.test.yml"];

#[test]
fn the_rule_files_and_the_scrape_configuration_load() {
    let promtool = require!("promtool");
    for arguments in [
        ["check", "rules", RULES],
        ["check", "rules", EXTENDED],
        ["check", "rules", AS_WRITTEN],
        ["check", "config", "deploy/prometheus/scrape.yml"],
    ] {
        let ran = run(&promtool, &arguments, &root());
        assert!(ran.is_ok(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn every_alert_fires_exactly_when_it_must() {
    let promtool = require!("promtool");
    let ran = run(&promtool, &["test", "rules", TESTS], &root());
    assert!(ran.is_ok(), "{}", ran.unwrap_err());
}

#[test]
fn extended_alerts_fire_at_their_minute_and_health_is_silent() {
    let promtool = require!("promtool");
    for tests in EXTENDED_TESTS {
        let ran = run(&promtool, &["test", "rules", tests], &root());
        assert!(ran.is_ok(), "{}", ran.unwrap_err());
    }
}

#[test]
fn every_alert_has_a_case_that_fires_and_one_that_is_silent() {
    let mut options = Options::default();
    assert_eq!(
        covered(&[TESTS]),
        alerts(&options)
            .into_iter()
            .flat_map(|alert| [(alert.name.clone(), true), (alert.name, false)])
            .collect()
    );
    options.profile = Profile::Extended;
    let covered = covered(&EXTENDED_TESTS);
    for alert in alerts(&options) {
        for fires in [true, false] {
            let case = (alert.name.clone(), fires);
            assert!(covered.contains(&case), "fires, or is silent: {case:?}");
        }
    }
}

/// The alerts that the test files expect to fire (`true`) and to be silent (`false`). The name that
/// ends in `AsWritten` is the one of [`AS_WRITTEN`].
fn covered(files: &[&str]) -> BTreeSet<(String, bool)> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut covered = BTreeSet::new();
    for test in files.iter().flat_map(|file| list(&yaml(file)["tests"])) {
        for case in list(&test["alert_rule_test"]) {
            covered.insert((word(&case["alertname"]), !list(&case["exp_alerts"]).is_empty()));
        }
        for case in list(&test["promql_expr_test"]) {
            let expr = word(&case["expr"]);
            let alert =
                expr.split_once("ALERTS{alertname=\"").and_then(|(_, rest)| rest.split_once('"'));
            if let Some((alert, _)) = alert {
                covered.insert((alert.to_owned(), !list(&case["exp_samples"]).is_empty()));
            }
        }
    }
    covered.retain(|(alert, _)| !alert.ends_with("AsWritten"));
    covered
}

#[test]
fn the_tests_notice_a_change_to_any_alert() {
    let promtool = require!("promtool");
    let changes = [
        ("max by (cluster, namespace, job, issuer_type)", "max by (cluster, namespace, job)"),
        (
            "max by (cluster, namespace, job, issuer_type)",
            "sum by (cluster, namespace, job, issuer_type)",
        ),
        ("and on (cluster, namespace, job)", "and on ()"),
        (r#"status="renewal_failed""#, r#"status="active""#),
        (r#"threshold="7""#, r#"threshold="30""#),
        ("for: 1h", "for: 59m"),
        ("severity: critical", "severity: warning"),
        (
            "last_over_time(cap_certificates_total{status=\"renewal_failed\"}[10m])",
            "cap_certificates_total{status=\"renewal_failed\"}",
        ),
        (
            "last_over_time(cap_kek_cluster_laggards_total[10m])\n      ) > 0",
            "last_over_time(cap_kek_cluster_laggards_total[10m])\n      ) > 1",
        ),
        (
            "max by (cluster, namespace, job, target)",
            "max by (cluster, namespace, job, instance, target)",
        ),
        ("for: 5m", "for: 6m"),
        ("[30m]", "[15m]"),
        ("sum by (cluster, namespace, job, type)", "max by (cluster, namespace, job, type)"),
        ("for: 15m", "for: 14m"),
        ("< 604800", "< 604000"),
        ("last_over_time(cap_license_expires_in_seconds[10m])", "cap_license_expires_in_seconds"),
        ("has expired{{ end }}", "is expired{{ end }}"),
    ];
    for (number, (from, to)) in changes.into_iter().enumerate() {
        let tree = Tree::new(&format!("change-{number}"));
        tree.change(RULES, from, to);
        let report = run(&promtool, &["test", "rules", TESTS], &tree.0).expect_err(from);
        assert!(report.contains("alertname: "), "{from}: {report}");
    }
}

#[test]
fn the_tests_notice_if_the_form_as_written_ever_fired() {
    let promtool = require!("promtool");
    let tree = Tree::new("proof");
    tree.change(AS_WRITTEN, "and cap_", "and on (cluster) cap_");
    let report = run(&promtool, &["test", "rules", TESTS], &tree.0).unwrap_err();
    assert!(report.contains("CertRenewalFailingAndExpiringAsWritten"), "{report}");
}

/// The files of `deploy/prometheus`, in a folder of their own.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("alerts-{name}"));
        for file in files_below("deploy/prometheus") {
            let path = folder.join(&file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, text(&file)).expect("a file is written");
        }
        Self(folder)
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let path = self.0.join(path);
        let text = fs::read_to_string(&path).expect("a file is read");
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(path, text.replace(from, to)).expect("a file is written");
    }
}

/// The tool's report, as an error when the tool refuses.
fn run(promtool: &Path, arguments: &[&str], folder: &Path) -> Result<String, String> {
    let output =
        Command::new(promtool).args(arguments).current_dir(folder).output().expect("promtool runs");
    let report = [output.stdout, output.stderr].concat();
    let report = String::from_utf8_lossy(&report).into_owned();
    if output.status.success() { Ok(report) } else { Err(report) }
}
