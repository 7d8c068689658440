//! Prometheus's own tool on the generated files: it loads them, and the alerts fire when they must and only then.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cap_alerts::generated_files;

use crate::peers::require;

const RULES: &str = "deploy/prometheus/certautopilot.rules.yml";
const LITERAL: &str = "deploy/prometheus/proof/literal.rules.yml";
const EXTENDED: &str = "deploy/prometheus/certautopilot-extended.rules.yml";
const TESTS: &str = "deploy/prometheus/tests/alerts.test.yml";

#[test]
fn the_rule_files_and_the_scrape_configuration_load() {
    let Some(promtool) = require("promtool") else {
        return;
    };
    let tree = Tree::new("load");
    for arguments in [
        ["check", "rules", RULES],
        ["check", "rules", EXTENDED],
        ["check", "rules", LITERAL],
        ["check", "config", "deploy/prometheus/scrape.yml"],
    ] {
        let ran = tree.run(&promtool, &arguments);
        assert!(ran.is_ok(), "{arguments:?}: {ran:?}");
    }
}

#[test]
fn every_alert_fires_exactly_when_it_must() {
    let Some(promtool) = require("promtool") else {
        return;
    };
    let ran = Tree::new("fire").run(&promtool, &["test", "rules", TESTS]);
    assert!(ran.is_ok(), "{}", ran.unwrap_err());
}

#[test]
fn every_extended_alert_fires_at_its_minute_and_a_healthy_fleet_is_silent() {
    let Some(promtool) = require("promtool") else {
        return;
    };
    let tree = Tree::new("extended");
    for file in ["extended.test.yml", "extended-day.test.yml"] {
        let tests = format!("deploy/prometheus/tests/{file}");
        let ran = tree.run(&promtool, &["test", "rules", &tests]);
        assert!(ran.is_ok(), "{}", ran.unwrap_err());
    }
}

#[test]
fn the_tests_notice_a_change_to_any_alert() {
    let Some(promtool) = require("promtool") else {
        return;
    };
    let changes = [
        (
            "issuers",
            "max by (cluster, namespace, job, issuer_type)",
            "max by (cluster, namespace, job)",
        ),
        (
            "replicas",
            "max by (cluster, namespace, job, issuer_type)",
            "sum by (cluster, namespace, job, issuer_type)",
        ),
        (
            "installation",
            "and on (cluster, namespace, job)",
            "and on ()",
        ),
        ("status", r#"status="renewal_failed""#, r#"status="active""#),
        ("threshold", r#"threshold="7""#, r#"threshold="30""#),
        ("hour", "for: 1h", "for: 59m"),
        ("urgency", "severity: critical", "severity: warning"),
        (
            "bridge",
            "last_over_time(cap_certificates_total{status=\"renewal_failed\"}[10m])",
            "cap_certificates_total{status=\"renewal_failed\"}",
        ),
        (
            "laggards",
            "last_over_time(cap_kek_cluster_laggards_total[10m])\n      ) > 0",
            "last_over_time(cap_kek_cluster_laggards_total[10m])\n      ) > 1",
        ),
        (
            "target",
            "max by (cluster, namespace, job, target)",
            "max by (cluster, namespace, job, instance, target)",
        ),
        ("five", "for: 5m", "for: 6m"),
        ("window", "[30m]", "[15m]"),
        (
            "reset",
            "sum by (cluster, namespace, job, type)",
            "max by (cluster, namespace, job, type)",
        ),
        ("quarter", "for: 15m", "for: 14m"),
        ("week", "< 604800", "< 604000"),
        (
            "license",
            "last_over_time(cap_license_expires_in_seconds[10m])",
            "cap_license_expires_in_seconds",
        ),
        ("words", "has expired{{ end }}", "is expired{{ end }}"),
    ];
    for (name, from, to) in changes {
        let tree = Tree::new(&format!("change-{name}"));
        tree.change(RULES, from, to);
        let report = tree
            .run(&promtool, &["test", "rules", TESTS])
            .expect_err(name);
        assert!(report.contains("alertname: "), "{name}: {report}");
    }
}

#[test]
fn the_proof_would_fail_if_the_literal_form_ever_fired() {
    let Some(promtool) = require("promtool") else {
        return;
    };
    let tree = Tree::new("proof");
    tree.change(LITERAL, "and cap_", "and on (cluster) cap_");
    let report = tree.run(&promtool, &["test", "rules", TESTS]).unwrap_err();
    assert!(
        report.contains("CertRenewalFailingAndExpiringAsWritten"),
        "{report}"
    );
}

/// The generated files, in a directory of their own.
struct Tree(PathBuf);

impl Tree {
    fn new(name: &str) -> Self {
        let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("alerts-{name}"));
        for file in generated_files() {
            let path = root.join(file.path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a directory");
            fs::write(path, file.text).expect("a file is written");
        }
        Tree(root)
    }

    fn change(&self, path: &str, from: &str, to: &str) {
        let path = self.0.join(path);
        let text = fs::read_to_string(&path).expect("a file is read");
        assert!(text.contains(from), "{from} is not in {text}");
        fs::write(path, text.replace(from, to)).expect("a file is written");
    }

    /// The tool's report, as an error when it is not content.
    fn run(&self, promtool: &Path, arguments: &[&str]) -> Result<String, String> {
        let output = Command::new(promtool)
            .args(arguments)
            .current_dir(&self.0)
            .output()
            .expect("promtool runs");
        let report = [output.stdout, output.stderr].concat();
        let report = String::from_utf8_lossy(&report).into_owned();
        if output.status.success() {
            Ok(report)
        } else {
            Err(report)
        }
    }
}
