//! What a person sees when a configuration is right, misspelt or wrong.

use std::time::Duration;

use cap_telemetry::{Config, Document, Error, Telemetry};
use expect_test::{Expect, expect};

fn load(text: &str, env: &[(&str, &str)]) -> Result<Config, Error> {
    let env = env
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    let mut document = Document::parse("config.yaml", text, env)?;
    let config = Config::from_document(&mut document)?;
    document.finish()?;
    Ok(config)
}

fn complains(text: &str, env: &[(&str, &str)], expected: &Expect) {
    let error = load(text, env).expect_err(text).to_string();
    expected.assert_eq(&error);
}

const FULL: &str = "
instance_name: cap-api-1
telemetry:
  tracing:
    enabled: true
    endpoint: http://otel-collector.observability:4318
    sample_rate: 0.25
    headers:
      authorization: Bearer hunter2
syslog:
  enabled: true
  host: relay.example
  port: 1601
  facility: local5
  buffer_size: 500
egress:
  deny: [10.0.0.0/8]
";

#[test]
fn peers_whose_sampling_decision_counts_are_everybody_nobody_or_those_of_a_list() {
    let peers = |value: &str| {
        let text =
            format!("telemetry: {{tracing: {{enabled: true, endpoint: 'http://c:4318'{value}}}}}");
        let tracing = load(&text, &[]).expect("sound").tracing.expect("on");
        tracing
            .trusted_peers
            .map(|nets| nets.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(peers(""), None);
    assert_eq!(peers(", trusted_peers: []"), Some(Vec::new()));
    let nets = peers(", trusted_peers: [10.0.0.0/8, '::1']");
    assert_eq!(nets.expect("a list"), ["10.0.0.0/8", "::1/128"]);
}

#[test]
fn every_section_reaches_its_pipe() {
    let config = load(FULL, &[]).expect("sound");
    let tracing = config.tracing.expect("on");
    assert_eq!(tracing.sample_rate.get(), 0.25);
    assert_eq!(
        tracing.endpoint.to_string(),
        "http://otel-collector.observability:4318/v1/traces"
    );
    let syslog = config.syslog.expect("on");
    assert_eq!(
        (syslog.relay.port.get(), syslog.buffer_size.get()),
        (1601, 500)
    );
    assert_eq!(syslog.hostname, "cap-api-1");
    assert!(
        config
            .egress
            .check("10.1.2.3".parse().expect("an address"))
            .is_err()
    );
}

#[test]
fn the_environment_overrides_the_file_and_otel_fills_what_both_leave_open() {
    let config = load(
        FULL,
        &[
            ("CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE", "1.0"),
            ("CERTAUTOPILOT_SYSLOG_ENABLED", "false"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:1"),
        ],
    )
    .expect("sound");
    let tracing = config.tracing.expect("on");
    assert_eq!(tracing.sample_rate.get(), 1.0);
    assert_eq!(
        tracing.endpoint.uri().host(),
        Some("otel-collector.observability")
    );
    assert!(config.syslog.is_none());

    let on = [
        ("CERTAUTOPILOT_TELEMETRY_TRACING_ENABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:1/"),
    ];
    let config = load("", &on).expect("sound");
    assert_eq!(
        config.tracing.expect("on").endpoint.to_string(),
        "http://other:1/v1/traces"
    );
    assert!(
        load(FULL, &[("OTEL_SDK_DISABLED", "true")])
            .expect("sound")
            .tracing
            .is_none()
    );
}

#[test]
fn traces_name_their_service_their_host_and_their_pod() {
    let on = [
        ("CERTAUTOPILOT_TELEMETRY_TRACING_ENABLED", "true"),
        ("CERTAUTOPILOT_TELEMETRY_TRACING_ENDPOINT", "http://c"),
    ];
    let resource = |more: &[(&str, &str)]| {
        let config = load("", &[&on, more].concat()).expect("sound");
        config.tracing.expect("on").resource
    };
    let alone = resource(&[]);
    assert_eq!(alone["service.name"], "certautopilot");
    assert!(!alone["host.name"].is_empty());
    assert!(
        !alone.keys().any(|key| key.starts_with("k8s.")),
        "{alone:?}"
    );

    let in_a_pod = resource(&[
        ("POD_NAME", "cap-api-1"),
        ("POD_NAMESPACE", "certs"),
        ("POD_UID", "275ecb36"),
        ("NODE_NAME", "node-7"),
        ("CONTAINER_NAME", "api"),
        (
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=prod%2Ceu, service.name=other, service.instance.id=other",
        ),
    ]);
    for (key, value) in [
        ("k8s.pod.name", "cap-api-1"),
        ("k8s.namespace.name", "certs"),
        ("k8s.pod.uid", "275ecb36"),
        ("k8s.node.name", "node-7"),
        ("k8s.container.name", "api"),
        ("deployment.environment.name", "prod,eu"),
        ("service.name", "other"),
        ("service.instance.id", "cap-api-1"),
    ] {
        assert_eq!(in_a_pod[key], value, "{key}");
    }
    let named = resource(&[
        ("OTEL_SERVICE_NAME", "mine"),
        ("OTEL_RESOURCE_ATTRIBUTES", "service.name=other"),
    ]);
    assert_eq!(named["service.name"], "mine");
    let broken = [&on[..], &[("OTEL_RESOURCE_ATTRIBUTES", "a")]].concat();
    let error = load("", &broken).expect_err("no pair").to_string();
    assert!(
        error.starts_with("environment: OTEL_RESOURCE_ATTRIBUTES: "),
        "{error}"
    );
}

#[test]
fn a_collector_over_grpc_is_an_endpoint_in_the_file_or_the_environment() {
    let on = "telemetry: { tracing: { enabled: true, batch_size: 64, compression: gzip } }";
    let file = "telemetry: { tracing: { enabled: true, endpoint: 'grpcs://collector' } }";
    let otel = ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317/");
    let tracing = load(on, &[otel]).expect("sound").tracing.expect("on");
    assert_eq!(tracing.endpoint.to_string(), "grpc://collector:4317");
    assert_eq!(tracing.batch_size.get(), 64);
    assert_eq!(tracing.compression, cap_telemetry::trace::Compression::Gzip);
    let tracing = load(file, &[otel]).expect("sound").tracing.expect("on");
    assert_eq!(tracing.endpoint.to_string(), "grpcs://collector:4317");
}

#[test]
fn an_authority_for_the_collector_comes_from_a_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    let load = |pem: &str| {
        std::fs::write(&file, pem).expect("written");
        let file = file.display();
        let text = format!(
            "telemetry: {{ tracing: {{ enabled: true, endpoint: 'https://collector', ca: '{file}' }} }}"
        );
        load(&text, &[])
    };
    let authority = rcgen::generate_simple_self_signed(["collector".to_owned()]).expect("a key");
    let trust = load(&authority.cert.pem()).expect("sound").tracing_trust;
    assert!(
        format!("{:?}", trust.expect("a trust")).contains("added_roots: 1"),
        "the authority is added to the system's"
    );

    let key = authority.signing_key.serialize_pem();
    let error = load(&key).expect_err("a key is no certificate").to_string();
    assert!(
        error.starts_with("config.yaml:1: telemetry.tracing.ca: ") && error.contains("private key"),
        "{error}"
    );
    assert!(!error.contains(key.lines().nth(1).expect("a line")));
    complains(
        "telemetry: { tracing: { ca: /nonexistent/ca.pem } }",
        &[],
        &expect![
            "config.yaml:1: telemetry.tracing.ca: /nonexistent/ca.pem: No such file or directory (os error 2); write the path of a file of CA certificates in PEM"
        ],
    );
}

#[test]
fn secrets_are_not_shown() {
    let config = load(FULL, &[]).expect("sound");
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
}

#[test]
fn mistakes_name_the_place_and_the_remedy() {
    complains(
        "syslog:\n  hots: relay\n",
        &[],
        &expect!["config.yaml:2: syslog.hots: unknown key; the nearest valid key is syslog.host"],
    );
    complains(
        "telemetry:\n  tracing:\n    sample_rate: 2\n",
        &[],
        &expect![[
            r#"config.yaml:3: telemetry.tracing.sample_rate: "2" is not a share; write a number from 0 to 1"#
        ]],
    );
    complains(
        "syslog:\n  port: [1]\n",
        &[],
        &expect!["config.yaml:2: syslog.port: expected one value, found a list"],
    );
    complains(
        "syslog: true\n",
        &[],
        &expect!["config.yaml:1: syslog: expected a section with keys of its own, found a value"],
    );
    complains(
        "syslog:\n  enabled: true\n",
        &[],
        &expect![
            "config.yaml: syslog.host: required while syslog is enabled; write the relay's name or address"
        ],
    );
    complains(
        "syslog:\n  transport: tls\n",
        &[],
        &expect![[
            r#"config.yaml:2: syslog.transport: unknown transport "tls": write udp, tcp or tcp+tls"#
        ]],
    );
    complains(
        "syslog:\n  transport: udp\n  framing: newline\n",
        &[],
        &expect![
            "config.yaml:3: syslog.framing: a datagram has no framing; leave it out, or use another transport"
        ],
    );
    complains(
        "syslog:\n  tls: { ca: x }\n",
        &[],
        &expect![
            "config.yaml:2: syslog.tls.ca: belongs to the transport tcp+tls; write `transport: tcp+tls` or leave it out"
        ],
    );
    complains(
        "syslog:\n  transport: tcp+tls\n  tls: { client_certificate: x }\n",
        &[],
        &expect![
            "config.yaml: syslog.tls.client_key: required, since syslog.tls.client_certificate is set; write its key in PEM"
        ],
    );
    complains(
        "syslog:\n  fallbacks: [\"relay:\"]\n",
        &[],
        &expect![[
            r#"config.yaml:2: syslog.fallbacks: "relay:": write a host, or a host and its port, such as relay.example:6514"#
        ]],
    );
    complains(
        "",
        &[("CERTAUTOPILOT_SYSLOG_PORT", "many")],
        &expect![[
            r#"environment: CERTAUTOPILOT_SYSLOG_PORT: "many" cannot be used: write a whole number from 0 to 65535"#
        ]],
    );
    complains(
        "egress:\n  deny: 10.0.0.0/8\n",
        &[],
        &expect!["config.yaml:2: egress.deny: expected a list, found one value"],
    );
    complains(
        "- a\n- b\n",
        &[],
        &expect!["config.yaml:1: expected keys and values"],
    );
}

#[test]
fn misspelt_keys_are_found_wherever_they_stand() {
    complains(
        "sylog:\n",
        &[],
        &expect!["config.yaml:1: sylog: unknown key; the nearest valid key is syslog"],
    );
    complains(
        "syslog: { hots: }\n",
        &[],
        &expect!["config.yaml:1: syslog.hots: unknown key; the nearest valid key is syslog.host"],
    );
    complains(
        "",
        &[("CERTAUTOPILOT_TELEMETRY_TRACING_SAMPEL_RATE", "1")],
        &expect![
            "environment: CERTAUTOPILOT_TELEMETRY_TRACING_SAMPEL_RATE: unknown variable; the nearest valid variable is CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE"
        ],
    );
    complains(
        "telemetry: { tracing: { headers: a=b } }\n",
        &[],
        &expect![
            "config.yaml:1: telemetry.tracing.headers: expected a section of names with a value each"
        ],
    );
    load("syslog:\ntelemetry: { tracing: {} }\n", &[]).expect("empty sections are sections");
}

#[test]
fn what_is_written_is_what_is_read() {
    let text = "instance_name: 007\nsyslog: { enabled: true, host: relay, hostname: 1_0, app_name: 12e5, facility: 0x10 }\n";
    complains(
        text,
        &[],
        &expect![[
            r#"config.yaml:2: syslog.facility: unknown facility "0x10": write local0 to local7, or a code from 0 to 23"#
        ]],
    );
    let config = load(&text.replace("0x10", "21"), &[]).expect("sound");
    let syslog = config.syslog.expect("on");
    assert_eq!(
        (&*config.instance_name, &*syslog.hostname, &*syslog.app_name),
        ("007", "1_0", "12e5")
    );
}

#[test]
fn an_empty_variable_and_a_service_link_override_nothing() {
    let config = load(
        FULL,
        &[
            ("CERTAUTOPILOT_EGRESS_DENY", ""),
            ("CERTAUTOPILOT_SYSLOG_PORT", "tcp://10.0.0.1:601"),
            ("CERTAUTOPILOT_SYSLOG_PORT_601_TCP_ADDR", "10.0.0.1"),
            ("CERTAUTOPILOT_SYSLOG_SERVICE_HOST", "10.0.0.1"),
        ],
    )
    .expect("sound");
    assert!(
        config
            .egress
            .check("10.1.2.3".parse().expect("an address"))
            .is_err()
    );
    assert_eq!(config.syslog.expect("on").relay.port.get(), 1601);
}

#[test]
fn headers_from_otel_are_percent_decoded_and_never_shown() {
    let on = "telemetry: { tracing: { enabled: true, endpoint: 'http://collector' } }";
    let config = load(
        on,
        &[(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Basic%20abc%3D,x=1",
        )],
    )
    .expect("sound");
    let headers = config.tracing.expect("on").headers;
    assert_eq!(headers["authorization"], "Basic abc=");
    assert_eq!(headers["x"], "1");
    for headers in [
        "Authorization: Bearer hunter2==,x=1",
        "a=%zzhunter2",
        "hunter2",
    ] {
        let error = load(on, &[("OTEL_EXPORTER_OTLP_HEADERS", headers)])
            .expect_err(headers)
            .to_string();
        assert!(
            error.starts_with("environment: OTEL_EXPORTER_OTLP_HEADERS: "),
            "{error}"
        );
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_network_may_be_an_address_alone() {
    let config = load("egress: { allow: [169.254.169.254] }", &[]).expect("sound");
    assert!(
        config
            .egress
            .check("169.254.169.254".parse().expect("an address"))
            .is_ok()
    );
    complains(
        "egress: { allow: [nothing] }\n",
        &[],
        &expect![[
            r#"config.yaml:1: egress.allow: "nothing": write a network such as 10.20.0.0/16, or an address"#
        ]],
    );
}

#[test]
fn loopback_private_ranges_and_what_is_behind_a_translator_are_denied_on_request() {
    let judge = |text: &str, address: &str| {
        let policy = load(text, &[]).expect("sound").egress;
        policy.check(address.parse().expect("an address")).is_ok()
    };
    for (setting, address) in [
        ("deny_loopback: true", "127.0.0.1"),
        ("deny_private: true", "10.0.0.1"),
        ("nat64_prefixes: ['2001:db8::/96']", "2001:db8::a9fe:a9fe"),
    ] {
        assert!(judge("egress: {}", address), "{address}");
        assert!(
            !judge(&format!("egress: {{ {setting} }}"), address),
            "{setting}"
        );
    }
    complains(
        "egress: { nat64_prefixes: ['2001:db8::/33'] }\n",
        &[],
        &expect![[
            r#"config.yaml:1: egress.nat64_prefixes: "2001:db8::/33": the NAT64 prefix "2001:db8::/33" cannot be used: its length is one of 32, 40, 48, 56, 64 and 96 (RFC 6052, 2.2)"#
        ]],
    );
}

#[test]
fn a_file_that_is_not_yaml_or_says_a_key_twice_names_the_line() {
    for (text, line) in [
        ("syslog:\n  host: a\n  host: b\n", ":3"),
        ("a: [1\nb: 2\n", ":"),
    ] {
        let error = load(text, &[]).expect_err(text).to_string();
        assert!(error.starts_with(&format!("config.yaml{line}")), "{error}");
    }
    complains(
        "syslog.host: a\nsyslog:\n  host: b\n",
        &[],
        &expect!["config.yaml:3: syslog.host: given twice, first on line 1"],
    );
    let error = Document::read("/does/not/exist.yaml")
        .expect_err("absent")
        .to_string();
    assert!(error.starts_with("/does/not/exist.yaml: "), "{error}");
}

#[test]
fn with_everything_off_the_handle_works_and_shutdown_is_complete() {
    let telemetry = Telemetry::start(Config::default()).expect("nothing can fail");
    telemetry.audit(cap_telemetry::syslog::Event::new(
        "e1",
        "auth.login",
        cap_telemetry::names::Actor::user("alice"),
        "Logged in",
    ));
    let text = telemetry.metrics().render();
    assert!(
        !text.contains("cap_telemetry_syslog_connected"),
        "what is off must not look broken: {text}"
    );
    let report = telemetry.shutdown(Duration::from_secs(1));
    assert!(report.is_complete(), "{report}");
    assert_eq!(
        serde_json::to_string(&report).expect("JSON"),
        r#"{"tracing":null,"syslog":null}"#
    );
}

#[test]
fn dead_peers_delay_neither_start_nor_a_bounded_shutdown() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .expect("a port")
        .local_addr()
        .expect("bound");
    let text = format!(
        "telemetry:\n  tracing:\n    enabled: true\n    endpoint: http://{dead}\nsyslog:\n  enabled: true\n  host: {}\n  port: {}\n",
        dead.ip(),
        dead.port()
    );
    let telemetry = Telemetry::start(load(&text, &[]).expect("sound")).expect("started");
    telemetry.audit(cap_telemetry::syslog::Event::new(
        "e1",
        "auth.login",
        cap_telemetry::names::Actor::user("alice"),
        "Logged in",
    ));
    let report = telemetry.shutdown(Duration::from_millis(200));
    assert!(!report.is_complete());
    assert_eq!(report.syslog.map(|events| events.queued), Some(1));
}

#[test]
fn a_transport_brings_its_port_and_fallbacks_take_it_unless_they_have_their_own() {
    let text = "syslog: { enabled: true, host: a, transport: tcp+tls, framing: newline, fallbacks: [b, \"c:1\", \"[::1]:2\", \"::2\"] }\n";
    let authority = rcgen::generate_simple_self_signed(["a".to_owned()]).expect("a key");
    let pem = authority.cert.pem();
    let ca = ("CERTAUTOPILOT_SYSLOG_TLS_CA", pem.as_str());
    let syslog = load(text, &[ca]).expect("sound").syslog.expect("on");
    assert_eq!(syslog.relay.port.get(), 6514);
    let fallbacks: Vec<_> = syslog.fallbacks.iter().map(ToString::to_string).collect();
    assert_eq!(fallbacks, ["b:6514", "c:1", "[::1]:2", "[::2]:6514"]);
    let cap_syslog::Transport::Tls(framing, tls) = syslog.transport else {
        panic!("TLS")
    };
    assert_eq!(framing, cap_syslog::Framing::Newline);
    assert_eq!(tls.ca_pem.as_deref(), Some(pem.as_str()));
    complains(
        "syslog: { enabled: true, host: a, transport: tcp+tls, tls: { ca: PEM } }\n",
        &[],
        &expect![[
            r#"config.yaml:1: syslog.tls.ca: the CA setting holds no certificate; paste PEM text that starts with -----BEGIN CERTIFICATE-----"#
        ]],
    );
    let both = "syslog: { enabled: true, host: a, transport: tcp+tls, tls: { client_certificate: C, client_key: K } }\n";
    let certificate = ("CERTAUTOPILOT_SYSLOG_TLS_CLIENT_CERTIFICATE", &*pem);
    complains(
        both,
        &[certificate],
        &expect![
            "config.yaml:1: syslog.tls.client_key: the client key setting holds no private key; paste PEM text that starts with -----BEGIN PRIVATE KEY-----"
        ],
    );

    let udp = load("syslog: { enabled: true, host: a, transport: udp }\n", &[]);
    assert_eq!(
        udp.expect("sound").syslog.expect("on").relay.port.get(),
        514
    );
}
