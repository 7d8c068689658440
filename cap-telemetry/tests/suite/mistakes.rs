//! The errors of a wrong configuration: each names its place and what to write instead.

use cap_telemetry::Document;

use crate::support::{load, valid};

/// Texts, and the error that each gives.
const MISTAKES: [(&str, &str); 21] = [
    (
        "syslog:\n  hots: relay\n",
        ":2: syslog.hots: unknown key; the nearest valid key is syslog.host",
    ),
    (
        "telemetry:\n  tracing:\n    sample_rate: 2\n",
        ":3: telemetry.tracing.sample_rate: \"2\" is not a share; write a number from 0 to 1",
    ),
    ("syslog:\n  port: [1]\n", ":2: syslog.port: expected one value, found a list"),
    ("syslog: true\n", ":1: syslog: expected a section with keys of its own, found a value"),
    (
        "syslog:\n  enabled: true\n",
        ": syslog.host: required while syslog is enabled; write the relay's name or address",
    ),
    (
        "syslog:\n  transport: tls\n",
        ":2: syslog.transport: unknown transport \"tls\": write udp, tcp or tcp+tls",
    ),
    (
        "syslog:\n  transport: udp\n  framing: newline\n",
        ":3: syslog.framing: a datagram has no framing; leave it out, or use another transport",
    ),
    (
        "syslog:\n  tls: { ca: x }\n",
        ":2: syslog.tls.ca: belongs to the transport tcp+tls; write `transport: tcp+tls` or leave it out",
    ),
    (
        "syslog:\n  transport: tcp+tls\n  tls: { client_certificate: x }\n",
        ": syslog.tls.client_key: required, since syslog.tls.client_certificate is set; write its key in PEM",
    ),
    (
        "syslog:\n  transport: tcp+tls\n  tls: { client_key: x }\n",
        ": syslog.tls.client_certificate: required, since syslog.tls.client_key is set; write its certificate in PEM",
    ),
    (
        "syslog:\n  fallbacks: [\"relay:\"]\n",
        ":2: syslog.fallbacks: \"relay:\": write a host, or a host and its port, such as relay.example:6514",
    ),
    (
        "syslog: { enabled: true, host: a, transport: tcp+tls, tls: { ca: PEM } }\n",
        ":1: syslog.tls.ca: the CA setting holds no certificate; paste PEM text that starts with -----BEGIN CERTIFICATE-----",
    ),
    ("egress:\n  deny: 10.0.0.0/8\n", ":2: egress.deny: expected a list, found one value"),
    (
        "egress: { allow: [nothing] }\n",
        ":1: egress.allow: \"nothing\": write a network such as 10.20.0.0/16, or an address",
    ),
    (
        "egress: { nat64_prefixes: ['2001:db8::/33'] }\n",
        ":1: egress.nat64_prefixes: \"2001:db8::/33\": the NAT64 prefix \"2001:db8::/33\" cannot be used: its length is one of 32, 40, 48, 56, 64 and 96 (RFC 6052, 2.2)",
    ),
    ("- a\n- b\n", ":1: expected keys and values"),
    ("sylog:\n", ":1: sylog: unknown key; the nearest valid key is syslog"),
    ("syslog: { hots: }\n", ":1: syslog.hots: unknown key; the nearest valid key is syslog.host"),
    (
        "telemetry: { tracing: { headers: a=b } }\n",
        ":1: telemetry.tracing.headers: expected a section of names with a value each",
    ),
    ("syslog.host: a\nsyslog:\n  host: b\n", ":3: syslog.host: given twice, first on line 1"),
    (
        "telemetry: { tracing: { ca: /nonexistent/ca.pem } }",
        ":1: telemetry.tracing.ca: /nonexistent/ca.pem: No such file or directory (os error 2); write the path of a file of CA certificates in PEM",
    ),
];

#[test]
fn a_mistake_names_its_place_and_the_remedy() {
    for (text, expected) in MISTAKES {
        let error = load(text, &[]).expect_err(text).to_string();
        assert_eq!(error, format!("config.yaml{expected}"));
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
