//! Every configuration key, as data: the reference, the JSON Schema and the tests are made of it.

/// A key that [`Config::from_document`](crate::Config::from_document) takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Key {
    /// The dotted path: `telemetry.tracing.sample_rate`.
    pub path: &'static str,
    /// What may stand there.
    pub value: Value,
    /// What leaving it out means, as it would be written; `None` where that is no value that could be written.
    pub default: Option<&'static str>,
    /// What leaving it out means, where `default` cannot say it.
    pub otherwise: &'static str,
    /// A value to copy, as YAML.
    pub example: &'static str,
    /// What it is for, in a sentence without its full stop.
    pub about: &'static str,
}

/// What may stand behind a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// `true` or `false`.
    Switch,
    /// Text; what of.
    Text(&'static str),
    /// A whole number within bounds, and what it counts.
    Count {
        /// At least.
        least: u64,
        /// At most.
        most: u64,
        /// Its unit.
        unit: &'static str,
    },
    /// A number from 0 to 1.
    Share,
    /// A whole number with a unit: `500ms`, `30s`, `5m`, `1h`.
    Duration,
    /// One of these words.
    Word(&'static [&'static str]),
    /// One of these words, or a whole number up to a bound.
    WordOrNumber(&'static [&'static str], u64),
    /// A list; what of.
    List(&'static str),
    /// A section of names with a value each. In the environment: `name=value`, separated by commas.
    Names,
}

impl Key {
    /// The variable that overrides it: `CERTAUTOPILOT_TELEMETRY_TRACING_SAMPLE_RATE`.
    pub fn variable(&self) -> String {
        crate::document::variable(self.path)
    }

    /// Whether its value is a secret, or holds one.
    pub fn is_secret(&self) -> bool {
        matches!(
            self.path,
            "telemetry.tracing.headers" | "syslog.tls.client_key"
        )
    }
}

const fn key(
    path: &'static str,
    value: Value,
    default: Option<&'static str>,
    otherwise: &'static str,
    example: &'static str,
    about: &'static str,
) -> Key {
    Key {
        path,
        value,
        default,
        otherwise,
        example,
        about,
    }
}

const SPANS: Value = Value::Count {
    least: 1,
    most: 1_000_000,
    unit: "spans",
};
const PORT: Value = Value::Count {
    least: 1,
    most: 65_535,
    unit: "port",
};
const EVENTS: Value = Value::Count {
    least: 1,
    most: 10_000_000,
    unit: "events",
};
/// The least is that of every transport; UDP ends at 65507.
const RECORD: Value = Value::Count {
    least: 2048,
    most: 16_777_216,
    unit: "bytes",
};
const FACILITIES: &[&str] = &[
    "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];

/// In the order of a configuration file.
#[rustfmt::skip]
pub(crate) const KEYS: &[Key] = &[
    key("instance_name", Value::Text("name"), None, "`POD_NAME`, `HOSTNAME`, the host's name", "cap-api-1",
        "The process among its siblings: HOSTNAME of audit records and `service.instance.id` of traces"),

    key("telemetry.metrics.enabled", Value::Switch, Some("true"), "", "false",
        "Whether metrics are exposed"),
    key("telemetry.metrics.listen", Value::Text("address and port"), None, "served by the host, beside its own routes", "127.0.0.1:9464",
        "Serve `/metrics` on a listener of its own instead, apart from what the outside world reaches"),
    key("telemetry.metrics.exemplars", Value::Switch, Some("true"), "", "false",
        "Whether latency histograms name the last sampled trace of each bucket (OpenMetrics only)"),

    key("telemetry.tracing.enabled", Value::Switch, Some("false"), "", "true",
        "Whether spans are made and exported; trace context passes through in any case"),
    key("telemetry.tracing.endpoint", Value::Text("URL"), None, "`OTEL_EXPORTER_OTLP_ENDPOINT`; needed where tracing is enabled", "http://otel-collector.observability:4318",
        "The collector: `http://` or `https://` for OTLP/HTTP (port 4318), `grpc://` or `grpcs://` for OTLP/gRPC (port 4317)"),
    key("telemetry.tracing.ca", Value::Text("path"), None, "the system's trust store alone", "/etc/certautopilot/collector-ca.pem",
        "A file of CA certificates (PEM) that may vouch for the collector, beside the system's"),
    key("telemetry.tracing.sample_rate", Value::Share, Some("0.1"), "", "1.0",
        "Share of traces that are sampled when no upstream has decided"),
    key("telemetry.tracing.trusted_peers", Value::List("networks or addresses"), None, "everybody's", "[10.0.0.0/8]",
        "Whose decision to sample is honoured; of an empty list: nobody's"),
    key("telemetry.tracing.headers", Value::Names, None, "`OTEL_EXPORTER_OTLP_HEADERS`", "{ authorization: Bearer TOKEN }",
        "Headers of every export request. Their values are secrets"),
    key("telemetry.tracing.timeout", Value::Duration, Some("10s"), "", "5s",
        "How long one export request may take"),
    key("telemetry.tracing.retry_for", Value::Duration, Some("30s"), "", "1m",
        "How long a batch is tried again before its spans count as failed"),
    key("telemetry.tracing.compression", Value::Word(&["none", "gzip"]), Some("none"), "", "gzip",
        "How export requests are compressed"),
    key("telemetry.tracing.queue_size", SPANS, Some("8192"), "", "16384",
        "Ended spans held at most until they are sent"),
    key("telemetry.tracing.batch_size", SPANS, Some("512"), "", "256",
        "Spans of one export request at most"),
    key("telemetry.tracing.batch_delay", Value::Duration, Some("1s"), "", "5s",
        "How long a span waits for its batch to fill"),

    key("syslog.enabled", Value::Switch, Some("false"), "", "true",
        "Whether audit events are forwarded"),
    key("syslog.host", Value::Text("name or address"), None, "needed where syslog is enabled", "relay.internal",
        "The relay"),
    key("syslog.port", PORT, None, "by transport: 514, 601 or 6514", "6514",
        "Its port"),
    key("syslog.fallbacks", Value::List("`host` or `host:port`"), None, "none", "[relay-2.internal, \"relay-3.internal:1601\"]",
        "Relays that stand in for it, in this order, while it accepts no connection"),
    key("syslog.failback", Value::Duration, Some("60s"), "", "5m",
        "How often the relays above are tried while a fallback stands in"),
    key("syslog.transport", Value::Word(&["udp", "tcp", "tcp+tls"]), Some("tcp"), "", "tcp+tls",
        "What carries the records"),
    key("syslog.framing", Value::Word(&["octet-counting", "newline"]), Some("octet-counting"), "", "newline",
        "How records are delimited on a stream; `newline` for relays that read lines. Not over UDP"),
    key("syslog.tls.ca", Value::Text("PEM"), None, "the system's trust store alone", "PEM",
        "Certificates of the authorities that may vouch for the relay, beside the system's"),
    key("syslog.tls.client_certificate", Value::Text("PEM"), None, "none", "PEM",
        "The certificate to present to a relay that asks for one"),
    key("syslog.tls.client_key", Value::Text("PEM"), None, "none", "PEM",
        "Its key. A secret"),
    key("syslog.format", Value::Word(&["rfc5424", "cef"]), Some("rfc5424"), "", "cef",
        "How a record carries the event, in the same envelope"),
    key("syslog.facility", Value::WordOrNumber(FACILITIES, 23), Some("local6"), "", "local5",
        "The facility, or its code"),
    key("syslog.hostname", Value::Text("name"), None, "the instance name", "cap-api-1",
        "HOSTNAME of the records"),
    key("syslog.app_name", Value::Text("name"), Some("certautopilot"), "", "certautopilot-prod",
        "APP-NAME of the records"),
    key("syslog.sd_id", Value::Text("`name@number`"), Some("cap@0"), "", "cap@32473",
        "SD-ID of the structured data"),
    key("syslog.product_version", Value::Text("version"), None, "that of this library", "\"2.4\"",
        "Device Version of CEF records"),
    key("syslog.buffer_size", EVENTS, Some("10000"), "", "50000",
        "Events held at most, unsent or not yet released; past it the oldest makes room"),
    key("syslog.max_message_size", RECORD, None, "8192; over UDP 2048", "4096",
        "Bytes of a record at most, without its frame; over UDP 65507"),
    key("syslog.grace", Value::Duration, Some("500ms"), "", "2s",
        "How long an acknowledged event is kept, in case the relay dies before it reads it"),
    key("syslog.stall_timeout", Value::Duration, Some("10s"), "", "30s",
        "Unacknowledged bytes this old end the connection"),

    key("egress.deny", Value::List("networks or addresses"), None, "none", "[192.0.2.0/24]",
        "What no connection may reach, besides link-local and cloud-metadata addresses"),
    key("egress.allow", Value::List("networks or addresses"), None, "none", "[169.254.7.7]",
        "What is exempt from any rule"),
    key("egress.deny_loopback", Value::Switch, Some("false"), "", "true",
        "Deny this host itself"),
    key("egress.deny_private", Value::Switch, Some("false"), "", "true",
        "Deny private, shared and unique local ranges"),
    key("egress.nat64_prefixes", Value::List("prefixes of 32, 40, 48, 56, 64 or 96 bits"), None, "none", "[\"2001:db8:64::/96\"]",
        "The site's NAT64 translators; what is behind them is judged as IPv4"),
];
