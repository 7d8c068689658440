//! The errors of a wrong configuration: each names its place and what to write instead.

use cap_telemetry::Document;

use crate::support::{load, valid};

/// Documents, and the error that each gives.
const MISTAKES: &str = include_str!("mistakes.txt");

#[test]
fn a_mistake_names_its_place_and_the_remedy() {
    let mistakes = MISTAKES.trim_end().split("\n\n");
    assert!(mistakes.clone().count() >= 21);
    for mistake in mistakes {
        let (text, expected) = mistake.split_once("\n=> ").expect("DOCUMENT => ERROR");
        assert_eq!(load(text, &[]).expect_err(text).to_string(), expected);
    }
    valid("syslog:\ntelemetry: { tracing: {} }\n");
}

#[test]
fn a_mistake_in_the_environment_names_the_variable() {
    for (name, expected) in [
        ("SYSLOG_PORT", "\"many\" cannot be used: write a whole number from 0 to 65535"),
        (
            "TELEMETRY_TRACING_SAMPEL_RATE",
            "unknown variable; the nearest valid variable is CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE",
        ),
    ] {
        let name = format!("CERTAUTOPILOT_{name}");
        let error = load("", &[(&name, "many")]).expect_err(&name).to_string();
        assert_eq!(error, format!("environment: {name}: {expected}"));
    }
}

#[test]
fn a_file_that_is_no_yaml_or_is_not_there_is_named() {
    for (text, place) in
        [("syslog:\n  host: a\n  host: b\n", "config.yaml:3"), ("a: [1\nb: 2\n", "config.yaml:")]
    {
        let error = load(text, &[]).expect_err(text).to_string();
        assert!(error.starts_with(place), "{error}");
    }
    let error = Document::read("/does/not/exist.yaml").expect_err("absent");
    assert!(error.to_string().starts_with("/does/not/exist.yaml: "));
}

#[test]
fn a_scalar_is_read_as_it_is_written() {
    let text = "instance_name: 007\nsyslog: { enabled: true, host: relay, hostname: 1_0, app_name: 12e5, facility: 0x10 }\n";
    assert_eq!(
        load(text, &[]).expect_err("no facility").to_string(),
        "config.yaml:2: syslog.facility: unknown facility \"0x10\": write local0 to local7, or a code from 0 to 23"
    );
    let config = valid(&text.replace("0x10", "21"));
    let syslog = config.syslog.expect("on");
    assert_eq!(
        (&*config.instance_name, &*syslog.hostname, &*syslog.app_name),
        ("007", "1_0", "12e5")
    );
}
