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
        &["cap-egress", "cap-tracing", "certautopilot", "cap-tests"],
    ),
    ("reqwest", &[]),
    ("tonic", &[]),
];

fn metadata() -> Value {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
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
    let metadata = metadata();
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
