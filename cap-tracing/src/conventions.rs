//! The conventions as data: every kind of span, what it is called and what it carries. The reference is generated from them, and a
//! test compares them with the spans that are made.

use cap_names::{ActorType, ClosedEnum as _, ErrorClass, attributes};

/// A kind of span.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Convention {
    /// What it stands for.
    pub title: &'static str,
    /// Its name, with what varies in braces.
    pub name: &'static str,
    /// Its OpenTelemetry span kind.
    pub kind: &'static str,
    /// What makes one.
    pub made_by: &'static str,
    /// What it carries beside [`COMMON`].
    pub attributes: &'static [Attribute],
}

/// An attribute of a span.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attribute {
    /// The key: `cap.…` are the product's own, the others OpenTelemetry's semantic conventions.
    pub key: &'static str,
    /// What it says, in a few words; where the set is closed, these are its values.
    pub values: Values,
}

/// What an attribute may be.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Values {
    /// One of these.
    Closed(&'static [&'static str]),
    /// Described in words.
    Open(&'static str),
}

const fn open(key: &'static str, about: &'static str) -> Attribute {
    let values = Values::Open(about);
    Attribute { key, values }
}

const fn words(key: &'static str, words: &'static [&'static str]) -> Attribute {
    let values = Values::Closed(words);
    Attribute { key, values }
}

const METHOD: Attribute = open(
    "http.request.method",
    "the method, `_OTHER` where it is not a known one",
);
const STATUS: Attribute = open("http.response.status_code", "the status, once there is one");
const ERROR_TYPE: Attribute = open("error.type", "the status, where it is an error");
const HOST: Attribute = open("server.address", "the host called");
const PORT: Attribute = open("server.port", "its port, where the URI has one");
const JOB_TYPE: Attribute = open(attributes::JOB_TYPE, "name of the job type");
const JOB_ID: Attribute = open(attributes::JOB_ID, "opaque id of the job");
const EVENT_TYPE: Attribute = open(attributes::EVENT_TYPE, "type of the event");
const EVENT_ID: Attribute = open(
    attributes::EVENT_ID,
    "its id, the same as in the SIEM's archive",
);

/// What any span may carry: the first five are those of [`CurrentSpan`](crate::CurrentSpan).
pub const COMMON: &[Attribute] = &[
    open(attributes::ORG_ID, "opaque id of the organisation"),
    open(attributes::PROJECT_ID, "opaque id of the project"),
    open(attributes::CERT_ID, "opaque id of the certificate"),
    open(attributes::DISTRIBUTION_ID, "opaque id of the distribution"),
    words(attributes::ACTOR_TYPE, ActorType::VALUES),
    words(attributes::ERROR_CLASS, ErrorClass::VALUES),
];

/// The event `audit` on the span in which an audit event happened.
pub const AUDIT_EVENT: &[Attribute] = &[EVENT_TYPE, EVENT_ID];

/// Every kind of span.
pub const SPANS: &[Convention] = &[
    Convention {
        title: "An HTTP request that is answered",
        name: "{method} {route}",
        kind: "server",
        made_by: "TraceLayer, Tracer::request",
        attributes: &[
            METHOD,
            open("http.route", "the pattern that matched, if one did"),
            STATUS,
            ERROR_TYPE,
        ],
    },
    Convention {
        title: "An attempt at a job",
        name: "job {type}",
        kind: "consumer",
        made_by: "Tracer::job",
        attributes: &[JOB_TYPE, JOB_ID, open(attributes::JOB_ATTEMPT, "1, 2, …")],
    },
    Convention {
        title: "A job that is enqueued",
        name: "enqueue {type}",
        kind: "producer",
        made_by: "Tracer::enqueue",
        attributes: &[JOB_TYPE, JOB_ID],
    },
    Convention {
        title: "A call to an external system",
        name: "{provider} {endpoint}",
        kind: "client",
        made_by: "ClientLayer::external, Tracer::external_call",
        attributes: &[
            open(
                attributes::EXTERNAL_PROVIDER,
                "acme, msca, a DNS provider, a module",
            ),
            open(attributes::EXTERNAL_ENDPOINT, "the operation"),
            METHOD,
            HOST,
            PORT,
            STATUS,
            ERROR_TYPE,
        ],
    },
    Convention {
        title: "A call to a service of one's own",
        name: "{service} {operation}",
        kind: "client",
        made_by: "ClientLayer::service",
        attributes: &[METHOD, HOST, PORT, STATUS, ERROR_TYPE],
    },
    Convention {
        title: "A database operation",
        name: "{operation} {table}",
        kind: "client",
        made_by: "Tracer::db",
        attributes: &[
            open("db.operation.name", "the operation: SELECT, INSERT, …"),
            open("db.collection.name", "the table"),
        ],
    },
    Convention {
        title: "A call of another part of the service",
        name: "{service} {operation}",
        kind: "internal",
        made_by: "Tracer::service_call",
        attributes: &[open("code.function.name", "{service}.{operation}")],
    },
    Convention {
        title: "An event that is sent",
        name: "emit {type}",
        kind: "producer",
        made_by: "Tracer::emit_event",
        attributes: AUDIT_EVENT,
    },
];
