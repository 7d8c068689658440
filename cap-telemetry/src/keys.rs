//! Every configuration key, as data for the reference, the JSON Schema and the tests.

use ValueType::{Boolean, Duration, Enum, EnumOrInteger, Fraction, Integer, List, Map, Text};

/// A key that [`Config::from_document`](crate::Config::from_document) takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The dotted path: `telemetry.tracing.sample_rate`.
    pub path: &'static str,
    /// Which values are valid.
    pub value_type: ValueType,
    /// What holds when the key is absent.
    pub default: DefaultValue,
    /// A valid value, as YAML.
    pub example: &'static str,
    /// What the key does: a sentence without its full stop.
    pub description: &'static str,
}

/// Which values of a key are valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ValueType {
    /// `true` or `false`.
    Boolean,
    /// Text; the field says what it names.
    Text(&'static str),
    /// A whole number.
    Integer {
        /// The least valid number.
        min: u64,
        /// The greatest valid number.
        max: u64,
        /// What it counts.
        unit: &'static str,
    },
    /// A number from 0 to 1.
    Fraction,
    /// An [`Interval`](crate::Interval): `500ms`, `30s`, `5m`, `1h`.
    Duration,
    /// One of these words.
    Enum(&'static [&'static str]),
    /// One of these words, or a whole number from 0 to this one.
    EnumOrInteger(&'static [&'static str], u64),
    /// A list; the field says what of.
    List(&'static str),
    /// A section of names with one value each. In the environment: `name=value`, separated by
    /// commas.
    Map,
}

/// What holds when a key is absent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DefaultValue {
    /// This value, as YAML.
    Literal(&'static str),
    /// No value that YAML could write; the field says in prose what holds.
    Described(&'static str),
}

impl Key {
    /// The variable that overrides the key: `CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE`.
    pub fn variable(&self) -> String {
        crate::document::variable(self.path)
    }

    /// Whether the value is, or contains, a secret.
    pub fn is_secret(&self) -> bool {
        matches!(self.path, "telemetry.tracing.headers" | "syslog.tls.client_key")
    }
}

const fn key(
    path: &'static str,
    value_type: ValueType,
    default: DefaultValue,
    example: &'static str,
    description: &'static str,
) -> Key {
    Key { path, value_type, default, example, description }
}

const fn is(value: &'static str) -> DefaultValue {
    DefaultValue::Literal(value)
}

const fn means(description: &'static str) -> DefaultValue {
    DefaultValue::Described(description)
}

const fn integer(min: u64, max: u64, unit: &'static str) -> ValueType {
    Integer { min, max, unit }
}

const SPANS: ValueType = integer(1, 1_000_000, "spans");
const FACILITIES: &[&str] =
    &["local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"];

/// In the order of a configuration file.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("instance_name", Text("name"), means("`POD_NAME`, else `HOSTNAME`, else the host's name"), "cap-api-1",
        "The name of this process among its replicas: HOSTNAME of audit records and `service.instance.id` of traces"),

    key("telemetry.metrics.enabled", Boolean, is("true"), "false",
        "Whether `/metrics` is served"),
    key("telemetry.metrics.listen", Text("address and port"), means("none: the application serves `/metrics` beside its own routes"), "127.0.0.1:9464",
        "Address of a separate listener for `/metrics`, for example one that the outside world does not reach"),
    key("telemetry.metrics.exemplars", Boolean, is("true"), "false",
        "Whether each bucket of a latency histogram names the last sampled trace it counted. Only OpenMetrics shows it"),

    key("telemetry.tracing.enabled", Boolean, is("false"), "true",
        "Whether spans are recorded and exported. Trace context is propagated in any case"),
    key("telemetry.tracing.endpoint", Text("URL"), means("`OTEL_EXPORTER_OTLP_ENDPOINT`; required while tracing is enabled"), "http://otel-collector.observability:4318",
        "The collector: `http://` or `https://` for OTLP/HTTP (port 4318), `grpc://` or `grpcs://` for OTLP/gRPC (port 4317)"),
    key("telemetry.tracing.ca", Text("path"), means("the system's trust store alone"), "/etc/certautopilot/collector-ca.pem",
        "File of CA certificates (PEM) that are trusted for the collector in addition to the system's"),
    key("telemetry.tracing.sample_rate", Fraction, is("0.1"), "1.0",
        "Fraction of traces that are sampled, where no upstream has decided"),
    key("telemetry.tracing.trusted_peers", List("networks or addresses"), means("every peer"), "[10.0.0.0/8]",
        "Peers whose sampling decision is honored. An empty list trusts none"),
    key("telemetry.tracing.headers", Map, means("`OTEL_EXPORTER_OTLP_HEADERS`"), "{ authorization: Bearer TOKEN }",
        "Headers of every export request. Their values are secrets"),
    key("telemetry.tracing.timeout", Duration, is("10s"), "5s",
        "Timeout of one export request"),
    key("telemetry.tracing.retry_for", Duration, is("30s"), "1m",
        "How long a batch is retried. Then its spans count as failed"),
    key("telemetry.tracing.compression", Enum(&["none", "gzip"]), is("none"), "gzip",
        "Compression of export requests"),
    key("telemetry.tracing.queue_size", SPANS, is("8192"), "16384",
        "Maximum number of ended spans in memory. A full queue drops new spans"),
    key("telemetry.tracing.batch_size", SPANS, is("512"), "256",
        "Maximum number of spans in one export request"),
    key("telemetry.tracing.batch_delay", Duration, is("1s"), "5s",
        "How long a span waits for its batch to fill"),

    key("syslog.enabled", Boolean, is("false"), "true",
        "Whether audit events are forwarded"),
    key("syslog.host", Text("name or address"), means("required while syslog is enabled"), "relay.internal",
        "The relay"),
    key("syslog.port", integer(1, 65_535, "port"), means("by transport: 514 for udp, 601 for tcp, 6514 for tcp+tls"), "6514",
        "The port of the relay"),
    key("syslog.fallbacks", List("`host` or `host:port`"), means("none"), "[relay-2.internal, \"relay-3.internal:1601\"]",
        "Relays that are tried, in this order, while the relay accepts no connection"),
    key("syslog.failback", Duration, is("60s"), "5m",
        "Interval at which preferred relays are tried while a fallback is in use. At most 24h"),
    key("syslog.transport", Enum(&["udp", "tcp", "tcp+tls"]), is("tcp"), "tcp+tls",
        "Transport of the records"),
    key("syslog.framing", Enum(&["octet-counting", "newline"]), is("octet-counting"), "newline",
        "Framing of the records over TCP and TLS: `newline` for relays that read lines. Not valid over UDP"),
    key("syslog.tls.ca", Text("PEM"), means("the system's trust store alone"), "PEM",
        "CA certificates that are trusted for the relay in addition to the system's"),
    key("syslog.tls.client_certificate", Text("PEM"), means("none"), "PEM",
        "The certificate for a relay that asks for one. Requires `syslog.tls.client_key`"),
    key("syslog.tls.client_key", Text("PEM"), means("none"), "PEM",
        "The private key of `syslog.tls.client_certificate`. A secret"),
    key("syslog.format", Enum(&["rfc5424", "cef"]), is("rfc5424"), "cef",
        "Form of the event in a record: RFC 5424 structured data, or a CEF message"),
    key("syslog.facility", EnumOrInteger(FACILITIES, 23), is("local6"), "local5",
        "The facility, or its code"),
    key("syslog.hostname", Text("name"), means("the instance name"), "cap-api-1",
        "HOSTNAME of the records"),
    key("syslog.app_name", Text("name"), is("certautopilot"), "certautopilot-prod",
        "APP-NAME of the records"),
    key("syslog.sd_id", Text("`name@number`"), is("cap@0"), "cap@32473",
        "SD-ID of the structured data"),
    key("syslog.product_version", Text("version"), means("the version of this library"), "\"2.4\"",
        "Device Version of CEF records"),
    key("syslog.buffer_size", integer(1, 10_000_000, "events"), is("10000"), "50000",
        "Maximum number of events in memory, from their arrival until they are delivered. A full buffer drops the oldest event"),
    // The least is that of every transport; UDP ends at 65507.
    key("syslog.max_message_size", integer(2048, 16_777_216, "bytes"), means("8192, over UDP 2048"), "4096",
        "Maximum size of a record without its frame. At most 65507 over UDP"),
    key("syslog.grace", Duration, is("500ms"), "2s",
        "How long an event is kept after the relay's TCP stack acknowledged it, in case the relay dies before it reads the event. At most 24h"),
    key("syslog.stall_timeout", Duration, is("10s"), "30s",
        "Age of unacknowledged bytes at which the connection is closed. From 1s to 24h"),

    key("egress.deny", List("networks or addresses"), means("none"), "[192.0.2.0/24]",
        "Networks that no connection may reach, in addition to link-local and cloud-metadata addresses"),
    key("egress.allow", List("networks or addresses"), means("none"), "[169.254.7.7]",
        "Networks that are exempt from every rule"),
    key("egress.deny_loopback", Boolean, is("false"), "true",
        "Whether loopback addresses are denied"),
    key("egress.deny_private", Boolean, is("false"), "true",
        "Whether private, shared and unique local ranges are denied"),
    key("egress.nat64_prefixes", List("prefixes of 32, 40, 48, 56, 64 or 96 bits"), means("none"), "[\"2001:db8:64::/96\"]",
        "Prefixes of the site's NAT64 translators. The policy checks the IPv4 address behind them"),
];
