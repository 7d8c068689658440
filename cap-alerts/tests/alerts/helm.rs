//! The chart as the real Helm renders it.

use std::path::{Path, PathBuf};
use std::process::Command;

use cap_alerts::{Options, rules_file};
use cap_testkit::require;
use serde_json::Value;

use crate::kubernetes::Schema;

const CHART: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/helm/certautopilot-observability");

const EXTENDED: &str = "prometheusRule: {profile: extended}";

const EVERYTHING: &str = r#"
podMonitor: {enabled: true, tlsConfig: {insecureSkipVerify: false}, relabelings: [{action: labeldrop, regex: pod}]}
serviceMonitor: {scrapeTimeout: 10s, annotations: {a: b}, namespace: monitoring, targetLabels: [team], metricRelabelings: [{action: keep, regex: cap_.*, sourceLabels: [__name__]}]}
prometheusRule: {profile: extended, annotations: {a: b}, namespace: monitoring, additionalRuleLabels: {team: pki}, additionalGroups: [{name: mine, rules: [{record: a:b, expr: "1"}]}]}
telemetry: {tracing: {enabled: true}}
syslog: {enabled: true, host: relay.internal, port: 601}
networkPolicy: {enabled: true, from: [{namespaceSelector: {}}], collector: {to: [{podSelector: {}}]}, relay: {to: [{ipBlock: {cidr: 10.0.0.0/8}}]}, extraEgress: [{ports: [{port: 27017}]}]}
"#;

const NOTHING: &str = "{serviceMonitor: {enabled: false}, prometheusRule: {enabled: false}, dashboards: {enabled: false}, configMap: {enabled: false}}";

#[test]
fn every_object_follows_its_schema_with_all_and_no_values() {
    let helm = require!("helm");
    for (name, values, count) in
        [("defaults", "", 4), ("everything", EVERYTHING, 6), ("nothing", NOTHING, 0)]
    {
        lint(&helm, name, values);
        let objects = rendered(&helm, name, values).expect("it renders");
        assert_eq!(objects.len(), count, "{name}");
        for object in objects {
            let kind = object["kind"].as_str().expect("a kind");
            if ["PrometheusRule", "ServiceMonitor", "PodMonitor"].contains(&kind) {
                let violations = Schema::of(kind).violations(&object);
                assert_eq!(violations, [""; 0], "{name}: {object}");
            }
        }
    }
}

#[test]
fn the_chart_s_rules_are_those_of_the_generator() {
    let helm = require!("helm");
    let chosen = "grouping: [zone]\nselector: 'team=\"pki\"'\njob: cap\n";
    let overrides = "KEKClusterNotReady: {for: 10m, severity: critical, threshold: 2}, JobDeadLetterRising: {for: 1h, grouping: []}, \
                     LicenseExpiringSoon: {enabled: false}, CertExpiredIncreased: {for: 0s}, JobQueueStalled: {window: 1h, selector: ''}, HttpLatencyBudgetBurn1h: {threshold: 0.95}";
    for (name, values, options) in [
        ("rules-default", String::new(), String::new()),
        ("rules-extended", EXTENDED.to_owned(), "profile: extended".to_owned()),
        (
            "rules-chosen",
            format!(
                "prometheusRule:\n  profile: extended\n  {}  runbookUrl: https://runbooks.example/\n  grafanaUrl: https://grafana.example\n  overrides: {{{overrides}}}\n",
                chosen.replace('\n', "\n  ").trim_end_matches(' ')
            ),
            format!(
                "profile: extended\n{chosen}runbook_base_url: https://runbooks.example/\ngrafana_url: https://grafana.example\nalerts: {{{overrides}}}\n"
            ),
        ),
    ] {
        let mut expected = Options::default();
        if !options.is_empty() {
            expected.apply(&options).expect("options");
        }
        let expected: Value = serde_saphyr::from_str(&rules_file(&expected)).expect("YAML");
        let rule = of_kind(&rendered(&helm, name, &values).expect("it renders"), "PrometheusRule");
        let groups = |value: &Value| value["groups"].as_array().cloned().expect("groups");
        let (ours, theirs) = (groups(&expected), groups(&rule["spec"]));
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (ours, theirs) in ours.iter().zip(&theirs) {
            let rules = |group: &Value| group["rules"].as_array().cloned().expect("rules");
            for (ours, theirs) in rules(ours).iter().zip(&rules(theirs)) {
                assert_eq!(comparable(ours), comparable(theirs), "{name}");
            }
            assert_eq!(rules(ours).len(), rules(theirs).len(), "{name}");
        }
    }
}

#[test]
fn prometheus_takes_what_the_chart_renders() {
    let (helm, promtool) = (require!("helm"), require!("promtool"));
    for (name, values) in [("promtool-default", ""), ("promtool-everything", EVERYTHING)] {
        let rule = of_kind(&rendered(&helm, name, values).expect("it renders"), "PrometheusRule");
        let file = folder().join(format!("{name}.rules.json"));
        // JSON is YAML.
        std::fs::write(&file, rule["spec"].to_string()).expect("it is written");
        let output =
            Command::new(&promtool).args(["check", "rules"]).arg(&file).output().expect("it runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn misspelled_values_and_alerts_are_refused() {
    let helm = require!("helm");
    for (name, values, named) in [
        (
            "wrong-alert",
            "prometheusRule: {overrides: {KEKClusterNotRedy: {for: 1m}}}",
            "KEKClusterNotRedy",
        ),
        ("wrong-disabled", "prometheusRule: {disabled: [Nothing]}", "disabled"),
        ("wrong-key", "serviceMonitor: {intervall: 30s}", "intervall"),
        ("wrong-for", "prometheusRule: {overrides: {LicenseInvalid: {for: 1 hour}}}", "for"),
        ("wrong-window", "prometheusRule: {overrides: {LicenseInvalid: {window: 0s}}}", "window"),
        (
            "wrong-threshold",
            "prometheusRule: {overrides: {LicenseInvalid: {threshold: 1}}}",
            "threshold",
        ),
    ] {
        let refused = rendered(&helm, name, values).expect_err(name);
        assert!(refused.contains(named), "{name}: {refused}");
    }
}

#[test]
fn an_alert_can_be_left_out_and_the_rest_stays() {
    let helm = require!("helm");
    let values = "prometheusRule: {disabled: [KEKClusterNotReady], overrides: {LicenseExpiringSoon: {enabled: false}}}";
    let rule = of_kind(&rendered(&helm, "disabled", values).expect("it renders"), "PrometheusRule");
    let rules = rule["spec"]["groups"][0]["rules"].as_array().expect("rules");
    let names: Vec<_> = rules.iter().filter_map(|rule| rule["alert"].as_str()).collect();
    assert_eq!(names, ["CertRenewalFailingAndExpiring", "JobDeadLetterRising"]);
}

#[test]
fn the_network_policy_opens_the_configured_ports_and_no_other() {
    let helm = require!("helm");
    let dns = ["53/UDP", "53/TCP"];
    for (number, (sections, ports)) in [
        ("", &[][..]),
        ("telemetry: {tracing: {enabled: true}}", &["4318/TCP"]),
        ("telemetry: {tracing: {enabled: true, endpoint: 'http://collector'}}", &["4318/TCP"]),
        ("telemetry: {tracing: {enabled: true, endpoint: 'GRPC://collector/'}}", &["4317/TCP"]),
        ("telemetry: {tracing: {enabled: true, endpoint: 'grpcs://[fd00::1]:443'}}", &["443/TCP"]),
        (
            "telemetry: {tracing: {enabled: true, endpoint: 'https://c.example:8443/otlp/4318'}}",
            &["8443/TCP"],
        ),
        ("syslog: {enabled: true, host: a}", &["601/TCP"]),
        ("syslog: {enabled: true, host: a, transport: tls}", &["6514/TCP"]),
        ("syslog: {enabled: true, host: a, transport: udp}", &["514/UDP"]),
        (
            "syslog: {enabled: true, host: a, port: 1601, fallbacks: ['b:1602', '[fd00::2]:1601']}",
            &["1601/TCP", "1602/TCP"],
        ),
        ("syslog: {enabled: false, host: a, port: 1601}", &[]),
    ]
    .into_iter()
    .enumerate()
    {
        let values = format!("networkPolicy: {{enabled: true}}\n{sections}\n");
        let objects = rendered(&helm, &format!("policy-{number}"), &values).expect("it renders");
        let spec = &of_kind(&objects, "NetworkPolicy")["spec"];
        // Without `from`, the policy restricts no ingress.
        assert_eq!(spec["policyTypes"], serde_json::json!(["Egress"]), "{sections}");
        let rules = spec["egress"].as_array().expect("rules");
        let open: Vec<String> = rules
            .iter()
            .flat_map(|rule| rule["ports"].as_array().expect("ports"))
            .map(|port| {
                format!("{}/{}", port["port"], port["protocol"].as_str().expect("a protocol"))
            })
            .collect();
        assert_eq!(open, [&dns, ports].concat(), "{sections}");
    }
    let values = "networkPolicy: {enabled: true, from: [{namespaceSelector: {}}], extraIngress: [{ports: [{port: 8443}]}]}";
    let objects = rendered(&helm, "policy-ingress", values).expect("it renders");
    let spec = &of_kind(&objects, "NetworkPolicy")["spec"];
    assert_eq!(spec["policyTypes"], serde_json::json!(["Egress", "Ingress"]));
    assert_eq!(
        spec["ingress"],
        serde_json::json!([
            { "ports": [{ "port": "http", "protocol": "TCP" }], "from": [{ "namespaceSelector": {} }] },
            { "ports": [{ "port": 8443 }] },
        ])
    );
}

/// The rule with durations spelled alike.
fn comparable(rule: &Value) -> Value {
    let mut rule = rule.clone();
    for text in [rule["expr"].take(), rule["annotations"]["description"].take()] {
        let text = text.as_str().unwrap_or_default().replace("7200s", "2h").replace("600s", "10m");
        rule["compared"] = format!("{}{text}", rule["compared"]).into();
    }
    rule
}

fn of_kind(objects: &[Value], kind: &str) -> Value {
    objects.iter().find(|object| object["kind"] == kind).cloned().expect(kind)
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("helm");
    std::fs::create_dir_all(&folder).expect("a folder");
    folder
}

fn with_values(helm: &Path, verb: &[&str], name: &str, values: &str) -> Result<String, String> {
    let file = folder().join(format!("{name}.yaml"));
    std::fs::write(&file, values).expect("it is written");
    let output = Command::new(helm)
        .args(verb)
        .arg(CHART)
        .arg("--values")
        .arg(&file)
        .output()
        .expect("it runs");
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

fn lint(helm: &Path, name: &str, values: &str) {
    let linted = with_values(helm, &["lint", "--strict"], name, values);
    assert!(linted.is_ok(), "{name}: {linted:?}");
}

/// The objects of a release.
fn rendered(helm: &Path, name: &str, values: &str) -> Result<Vec<Value>, String> {
    let text = with_values(helm, &["template", "cap", "--namespace", "pki"], name, values)?;
    let objects: Vec<Value> = text
        .split("\n---\n")
        .map(|document| document.trim_start_matches("---\n"))
        .filter(|document| document.contains("kind:"))
        .map(|document| serde_saphyr::from_str(document).expect(document))
        .collect();
    Ok(objects)
}
