//! Which crate may use which: the picture in ARCHITECTURE.md, as cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// A crate and every crate of the workspace that it may reach, directly or not, outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("cap-names", &[]),
    ("cap-testkit", &[]),
    ("cap-egress", &["cap-names"]),
    ("cap-metrics", &["cap-names"]),
    ("cap-tracing", &["cap-names", "cap-egress"]),
    ("cap-syslog", &["cap-names", "cap-egress"]),
    ("cap-alerts", &["cap-names", "cap-metrics"]),
    ("cap-telemetry", &["cap-names", "cap-egress", "cap-metrics", "cap-tracing", "cap-syslog"]),
];

/// Crates that open connections. Only these members may depend on them.
const DIALERS: &[(&str, &[&str])] = &[
    (
        "hyper-util",
        // cap-metrics only serves with it: the features of clients are not among those it asks for.
        &["cap-egress", "cap-metrics", "cap-tracing", "certautopilot", "cap-tests", "cap-testkit"],
    ),
    ("reqwest", &[]),
    ("tonic", &[]),
];

/// Crates that open connections or resolve names in their own way. No shipped crate reaches one of
/// them, also not through other crates.
const NEVER: &[&str] = &[
    "async-std",
    "attohttpc",
    "curl",
    "hickory-resolver",
    "hyper-rustls",
    "hyper-tls",
    "isahc",
    "minreq",
    "native-tls",
    "openssl",
    "reqwest",
    "smol",
    "trust-dns-resolver",
    "ureq",
];

/// Features of a shipped crate that would make it connect by itself, or to a proxy of the
/// environment.
const NEVER_WITH: &[(&str, &[&str])] = &[
    ("hyper-util", &["client-proxy", "client-proxy-system"]),
    ("opentelemetry-proto", &["gen-tonic"]),
    ("tonic", &["channel", "transport"]),
];

pub(crate) fn metadata() -> Value {
    let text = cargo(&["metadata", "--format-version=1", "--offline", "--no-deps"]);
    serde_json::from_str(&text).expect("JSON")
}

/// The output of a cargo command.
fn cargo(args: &[&str]) -> String {
    let output = Command::new(env!("CARGO"))
        .args(args)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{errors}");
    String::from_utf8(output.stdout).expect("text")
}

/// The dependencies of every member that are not for its tests.
fn direct() -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = metadata();
    let members = metadata["packages"].as_array().expect("packages");
    let dependencies = |member: &Value| {
        let all = member["dependencies"].as_array().expect("dependencies");
        all.iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect()
    };
    members.iter().map(|member| (text(&member["name"]), dependencies(member))).collect()
}

fn reach<'a>(
    from: &str,
    direct: &'a BTreeMap<String, BTreeSet<String>>,
    reached: &mut BTreeSet<&'a str>,
) {
    for to in direct.get(from).into_iter().flatten() {
        if direct.contains_key(to) && reached.insert(to) {
            reach(to, direct, reached);
        }
    }
}

#[test]
fn crates_reach_each_other_only_along_the_arrows() {
    let direct = direct();
    for (from, allowed) in ARROWS {
        assert!(direct.contains_key(*from), "{from} is not a member");
        let mut reached = BTreeSet::new();
        reach(from, &direct, &mut reached);
        let allowed: BTreeSet<_> = allowed.iter().copied().collect();
        assert_eq!(reached, allowed, "{from}");
    }
}

#[test]
fn only_known_members_name_a_crate_that_dials() {
    for (dialer, allowed) in DIALERS {
        for (member, dependencies) in direct() {
            if dependencies.contains(*dialer) {
                assert!(allowed.contains(&member.as_str()), "{member} depends on {dialer}");
            }
        }
    }
}

/// The crates that a member with all its features is built from, each with its features. `cargo
/// metadata` does not serve: it unifies the features of all members, those for comparisons
/// included.
fn built_from(member: &str) -> BTreeMap<String, BTreeSet<String>> {
    let tree = ["tree", "--offline", "--all-features", "--edges=normal"];
    let format = ["--prefix=none", "--format={p}\t{f}", "--package", member];
    let lines = cargo(&[tree, format].concat());
    let mut built: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for line in lines.lines() {
        let (package, features) = line.split_once('\t').expect("two columns");
        let name = package.split(' ').next().unwrap_or_default();
        // Behind what has been shown before stands a mark.
        let features = features.trim_end_matches("(*)").trim_end().split(',');
        let known = built.entry(name.to_owned()).or_default();
        known.extend(features.map(str::to_owned));
    }
    built
}

#[test]
fn what_is_shipped_is_built_from_nothing_that_dials_by_itself() {
    for (member, _) in ARROWS {
        let built = built_from(member);
        assert!(built.contains_key(*member), "{member} is not a member");
        for (name, features) in &built {
            assert!(!NEVER.contains(&name.as_str()), "{member} is built from {name}");
            for (_, never) in NEVER_WITH.iter().filter(|(krate, _)| krate == name) {
                let never: BTreeSet<_> = never.iter().map(|&feature| feature.to_owned()).collect();
                let wrong: Vec<_> = features.intersection(&never).collect();
                assert!(wrong.is_empty(), "{member}: {name} has {wrong:?}");
            }
        }
        // The rule would hold of an empty list as well.
        let known = built.get("hyper-util").is_none_or(|it| !it.is_empty());
        assert!(known, "{member}: no features were read");
    }
}

#[test]
fn alerts_read_the_catalogue_without_prometheus_client() {
    let built = built_from("cap-alerts");
    assert!(built.contains_key("cap-metrics"));
    assert!(!built.contains_key("prometheus-client"));
}
