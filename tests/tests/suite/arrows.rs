//! Which crate may use which: the picture in ARCHITECTURE.md, as cargo sees it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

/// A crate and every crate of the workspace that it may reach, directly or not, outside its tests.
const ARROWS: &[(&str, &[&str])] = &[
    ("cap-names", &[]),
    ("cap-egress", &[]),
    ("cap-metrics", &["cap-names"]),
    ("cap-tracing", &["cap-names", "cap-egress"]),
    ("cap-syslog", &["cap-names", "cap-egress"]),
    ("cap-alerts", &["cap-names", "cap-metrics"]),
    (
        "cap-telemetry",
        &[
            "cap-names",
            "cap-egress",
            "cap-metrics",
            "cap-tracing",
            "cap-syslog",
        ],
    ),
];

/// Crates that open connections of their own. Only these members may name them.
const DIALLERS: &[(&str, &[&str])] = &[
    (
        "hyper-util",
        // cap-metrics only serves with it: the features of clients are not among those it asks for.
        &[
            "cap-egress",
            "cap-metrics",
            "cap-tracing",
            "certautopilot",
            "cap-tests",
        ],
    ),
    ("reqwest", &[]),
    ("tonic", &[]),
];

/// Crates that open connections or resolve names by a way of their own. What is shipped reaches none of them, however many
/// crates lie between.
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

/// Features of a crate that is shipped that would make it connect by itself, or to a proxy of the environment.
const NEVER_WITH: &[(&str, &[&str])] = &[
    ("hyper-util", &["client-proxy", "client-proxy-system"]),
    ("opentelemetry-proto", &["gen-tonic"]),
    ("tonic", &["channel", "transport"]),
];

fn metadata(more: &[&str]) -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--offline"])
        .args(more)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stdout).expect("JSON")
}

/// The dependencies of every member that are not for its tests.
fn direct() -> BTreeMap<String, BTreeSet<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let metadata = metadata(&["--no-deps"]);
    let members = metadata["packages"].as_array().expect("packages");
    let dependencies = |member: &Value| {
        let all = member["dependencies"].as_array().expect("dependencies");
        all.iter()
            .filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| text(&dependency["name"]))
            .collect()
    };
    members
        .iter()
        .map(|member| (text(&member["name"]), dependencies(member)))
        .collect()
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
    for (dialler, allowed) in DIALLERS {
        for (member, dependencies) in direct() {
            if dependencies.contains(*dialler) {
                assert!(
                    allowed.contains(&member.as_str()),
                    "{member} depends on {dialler}"
                );
            }
        }
    }
}

/// The nodes of the resolved graph that a member is built from.
fn built_from<'a>(member: &str, nodes: &'a BTreeMap<String, &'a Value>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut todo: Vec<&str> = (nodes.keys().map(String::as_str))
        .filter(|id| name(id) == member)
        .collect();
    while let Some(id) = todo.pop() {
        if reached.insert(id) {
            let dependencies = nodes[id]["deps"].as_array().expect("dependencies");
            let normal = |dependency: &&Value| {
                let kinds = dependency["dep_kinds"].as_array().expect("kinds");
                kinds.iter().any(|kind| kind["kind"].is_null())
            };
            let ids = dependencies.iter().filter(normal);
            todo.extend(ids.map(|dependency| dependency["pkg"].as_str().expect("an id")));
        }
    }
    reached
}

/// The name in a package id: `…#name@version`, or `…/name#version`.
fn name(id: &str) -> &str {
    let (source, fragment) = id.rsplit_once('#').unwrap_or(("", id));
    match fragment.split_once('@') {
        Some((name, _)) => name,
        None => source.rsplit('/').next().unwrap_or(source),
    }
}

#[test]
fn what_is_shipped_is_built_from_nothing_that_dials_by_itself() {
    // Of other platforms' crates, a machine that has built everything may still lack some.
    let metadata = metadata(&["--filter-platform", "host-tuple"]);
    let nodes = metadata["resolve"]["nodes"].as_array().expect("a graph");
    let nodes: BTreeMap<_, _> = nodes
        .iter()
        .map(|node| (node["id"].as_str().expect("an id").to_owned(), node))
        .collect();
    for (member, _) in ARROWS {
        let reached = built_from(member, &nodes);
        assert!(!reached.is_empty(), "{member} is not a member");
        for id in reached {
            assert!(!NEVER.contains(&name(id)), "{member} is built from {id}");
            let features = nodes[id]["features"].as_array().expect("features");
            for (_, never) in NEVER_WITH.iter().filter(|(krate, _)| *krate == name(id)) {
                let enabled = features.iter().filter_map(Value::as_str);
                let wrong: Vec<_> = enabled.filter(|feature| never.contains(feature)).collect();
                assert!(wrong.is_empty(), "{member}: {id} has {wrong:?}");
            }
        }
    }
}
