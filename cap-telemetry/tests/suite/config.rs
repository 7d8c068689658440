//! A configuration reaches its pipelines, from the file and from the environment.

use cap_telemetry::syslog::{Framing, Transport};
use cap_telemetry::trace::Compression;

use crate::support::{load, valid};

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
fn trusted_peers_are_everybody_nobody_or_a_list() {
    let peers = |value: &str| {
        let text =
            format!("telemetry: {{tracing: {{enabled: true, endpoint: 'http://c:4318'{value}}}}}");
        let tracing = valid(&text).tracing.expect("on");
        tracing.trusted_peers.map(|nets| nets.iter().map(ToString::to_string).collect::<Vec<_>>())
    };
    assert_eq!(peers(""), None);
    assert_eq!(peers(", trusted_peers: []"), Some(Vec::new()));
    let nets = peers(", trusted_peers: [10.0.0.0/8, '::1']");
    assert_eq!(nets.expect("a list"), ["10.0.0.0/8", "::1/128"]);
}

#[test]
fn every_section_reaches_its_pipeline() {
    let config = valid(FULL);
    let tracing = config.tracing.expect("on");
    assert_eq!(tracing.sample_rate.get(), 0.25);
    assert_eq!(tracing.endpoint.to_string(), "http://otel-collector.observability:4318/v1/traces");
    let syslog = config.syslog.expect("on");
    assert_eq!((syslog.relay.port.get(), syslog.buffer_size.get()), (1601, 500));
    assert_eq!(syslog.hostname, "cap-api-1");
    assert!(config.egress.check("10.1.2.3".parse().expect("an address")).is_err());
}

#[test]
fn the_environment_wins_over_the_file_and_the_file_over_otel() {
    let config = load(
        FULL,
        &[
            ("CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE", "1.0"),
            ("CERTAUTOPILOT_SYSLOG_ENABLED", "false"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:1"),
        ],
    )
    .expect("valid");
    let tracing = config.tracing.expect("on");
    assert_eq!(tracing.sample_rate.get(), 1.0);
    assert_eq!(tracing.endpoint.uri().host(), Some("otel-collector.observability"));
    assert!(config.syslog.is_none());

    let on = [
        ("CERTAUTOPILOT_TELEMETRY_TRACING_ENABLED", "true"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://other:1/"),
    ];
    let config = load("", &on).expect("valid");
    assert_eq!(config.tracing.expect("on").endpoint.to_string(), "http://other:1/v1/traces");
    assert!(load(FULL, &[("OTEL_SDK_DISABLED", "true")]).expect("valid").tracing.is_none());
}

#[test]
fn traces_name_their_service_their_host_and_their_pod() {
    let on = [
        ("CERTAUTOPILOT_TELEMETRY_TRACING_ENABLED", "true"),
        ("CERTAUTOPILOT_TELEMETRY_TRACING_ENDPOINT", "http://c"),
    ];
    let resource = |more: &[(&str, &str)]| {
        let config = load("", &[&on, more].concat()).expect("valid");
        config.tracing.expect("on").resource
    };
    let alone = resource(&[]);
    assert_eq!(alone["service.name"], "certautopilot");
    assert!(!alone["host.name"].is_empty());
    assert!(!alone.keys().any(|key| key.starts_with("k8s.")), "{alone:?}");

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
    assert!(error.starts_with("environment: OTEL_RESOURCE_ATTRIBUTES: "), "{error}");
}

#[test]
fn a_grpc_endpoint_comes_from_the_file_or_the_environment() {
    let on = "telemetry: { tracing: { enabled: true, batch_size: 64, compression: gzip } }";
    let file = "telemetry: { tracing: { enabled: true, endpoint: 'grpcs://collector' } }";
    let otel = ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317/");
    let tracing = load(on, &[otel]).expect("valid").tracing.expect("on");
    assert_eq!(tracing.endpoint.to_string(), "grpc://collector:4317");
    assert_eq!(tracing.batch_size.get(), 64);
    assert_eq!(tracing.compression, Compression::Gzip);
    let tracing = load(file, &[otel]).expect("valid").tracing.expect("on");
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
    let trust = load(&authority.cert.pem()).expect("valid").tracing_trust;
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
}

#[test]
fn secrets_are_not_shown() {
    let config = valid(FULL);
    assert!(!format!("{config:?}").contains("hunter2"), "{config:?}");
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
    .expect("valid");
    assert!(config.egress.check("10.1.2.3".parse().expect("an address")).is_err());
    assert_eq!(config.syslog.expect("on").relay.port.get(), 1601);
}

#[test]
fn headers_from_otel_are_percent_decoded_and_never_shown() {
    let on = "telemetry: { tracing: { enabled: true, endpoint: 'http://collector' } }";
    let config = load(on, &[("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Basic%20abc%3D,x=1")])
        .expect("valid");
    let headers = config.tracing.expect("on").headers;
    assert_eq!(headers["authorization"], "Basic abc=");
    assert_eq!(headers["x"], "1");
    for headers in ["Authorization: Bearer hunter2==,x=1", "a=%zzhunter2", "hunter2"] {
        let error =
            load(on, &[("OTEL_EXPORTER_OTLP_HEADERS", headers)]).expect_err(headers).to_string();
        assert!(error.starts_with("environment: OTEL_EXPORTER_OTLP_HEADERS: "), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn an_address_is_a_network_of_its_own() {
    let config = valid("egress: { allow: [169.254.169.254] }");
    assert!(config.egress.check("169.254.169.254".parse().expect("an address")).is_ok());
}

#[test]
fn loopback_private_and_nat64_addresses_are_denied_on_request() {
    let check = |text: &str, address: &str| {
        let policy = valid(text).egress;
        policy.check(address.parse().expect("an address")).is_ok()
    };
    for (setting, address) in [
        ("deny_loopback: true", "127.0.0.1"),
        ("deny_private: true", "10.0.0.1"),
        ("nat64_prefixes: ['2001:db8::/96']", "2001:db8::a9fe:a9fe"),
    ] {
        assert!(check("egress: {}", address), "{address}");
        assert!(!check(&format!("egress: {{ {setting} }}"), address), "{setting}");
    }
}

#[test]
fn a_transport_sets_the_default_port_of_relay_and_fallbacks() {
    let text = "syslog: { enabled: true, host: a, transport: tcp+tls, framing: newline, fallbacks: [b, \"c:1\", \"[::1]:2\", \"::2\"] }\n";
    let authority = rcgen::generate_simple_self_signed(["a".to_owned()]).expect("a key");
    let pem = authority.cert.pem();
    let ca = ("CERTAUTOPILOT_SYSLOG_TLS_CA", pem.as_str());
    let syslog = load(text, &[ca]).expect("valid").syslog.expect("on");
    assert_eq!(syslog.relay.port.get(), 6514);
    let fallbacks: Vec<_> = syslog.fallbacks.iter().map(ToString::to_string).collect();
    assert_eq!(fallbacks, ["b:6514", "c:1", "[::1]:2", "[::2]:6514"]);
    let Transport::Tls(framing, tls) = syslog.transport else { panic!("TLS") };
    assert_eq!(framing, Framing::Newline);
    assert_eq!(tls.ca_pem.as_deref(), Some(pem.as_str()));
    let both = "syslog: { enabled: true, host: a, transport: tcp+tls, tls: { client_certificate: C, client_key: K } }\n";
    let certificate = ("CERTAUTOPILOT_SYSLOG_TLS_CLIENT_CERTIFICATE", &*pem);
    assert_eq!(
        load(both, &[certificate]).expect_err("no key").to_string(),
        "config.yaml:1: syslog.tls.client_key: the client key setting holds no private key; paste PEM text that starts with -----BEGIN PRIVATE KEY-----"
    );

    let udp = valid("syslog: { enabled: true, host: a, transport: udp }").syslog;
    assert_eq!(udp.expect("on").relay.port.get(), 514);
}

#[test]
fn sizes_and_names_of_a_pipeline_that_is_off_are_not_checked() {
    let queue = "endpoint: http://c, queue_size: 0, batch_size: 0";
    let relay = "host: r, sd_id: cap, buffer_size: 0";
    let off = format!(
        "telemetry: {{ tracing: {{ enabled: false, {queue} }} }}\nsyslog: {{ enabled: false, {relay} }}"
    );
    let config = valid(&off);
    assert!(config.tracing.is_none() && config.syslog.is_none());
    for on in [
        format!("telemetry: {{ tracing: {{ enabled: true, {queue} }} }}"),
        format!("syslog: {{ enabled: true, {relay} }}"),
    ] {
        assert!(load(&on, &[]).is_err(), "{on}");
    }
}
