//! The conventions as data: the name and the attributes of every kind of span.
//!
//! docs/spans.md is generated from them, and a test compares them with the spans that are made.

use cap_names::{ActorType, ClosedEnum as _, ErrorClass, attributes};

/// A kind of span.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Convention {
    /// What the span represents.
    pub title: &'static str,
    /// Its name, with the variable parts in braces.
    pub name: &'static str,
    /// Its OpenTelemetry span kind.
    pub kind: &'static str,
    /// The functions and layers that make it.
    pub made_by: &'static str,
    /// Its attributes, beside those of [`COMMON`].
    pub attributes: &'static [Attribute],
}

/// An attribute of a span.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Attribute {
    /// The key. `cap.…` keys are the product's own; the others are OpenTelemetry's semantic
    /// conventions.
    pub key: &'static str,
    /// What the value is.
    pub values: Values,
}

/// The values of an attribute.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Values {
    /// One of these words.
    Closed(&'static [&'static str]),
    /// Any value; this describes it.
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

const METHOD: Attribute =
    open("http.request.method", "the method; `_OTHER` if the conventions do not know it");
const STATUS: Attribute = open("http.response.status_code", "the status of the answer");
const ERROR_TYPE: Attribute = open("error.type", "the status, if it is an error");
const HOST: Attribute = open("server.address", "the host of the URI");
const PORT: Attribute = open("server.port", "the port of the URI, if it has one");
const JOB_TYPE: Attribute = open(attributes::JOB_TYPE, "name of the job type");
const JOB_ID: Attribute = open(attributes::JOB_ID, "opaque id of the job");
const EVENT_TYPE: Attribute = open(attributes::EVENT_TYPE, "type of the event");
const EVENT_ID: Attribute =
    open(attributes::EVENT_ID, "id of the event, the same as in the SIEM's archive");

/// The attributes that any span may carry. [`CurrentSpan`](crate::CurrentSpan) sets them.
pub const COMMON: &[Attribute] = &[
    open(attributes::ORG_ID, "opaque id of the organization"),
    open(attributes::PROJECT_ID, "opaque id of the project"),
    open(attributes::CERT_ID, "opaque id of the certificate"),
    open(attributes::DISTRIBUTION_ID, "opaque id of the distribution"),
    words(attributes::ACTOR_TYPE, ActorType::VALUES),
    words(attributes::ERROR_CLASS, ErrorClass::VALUES),
];

/// The attributes of the event `audit`.
pub const AUDIT_EVENT: &[Attribute] = &[EVENT_TYPE, EVENT_ID];

/// Every kind of span.
pub const SPANS: &[Convention] = &[
    Convention {
        title: "An HTTP request to this service",
        name: "{method} {route}",
        kind: "server",
        made_by: "TraceLayer, Tracer::request",
        attributes: &[
            METHOD,
            open("http.route", "the pattern of the route, if one matched"),
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
        title: "Enqueuing a job",
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
            open(attributes::EXTERNAL_PROVIDER, "acme, msca, a DNS provider, a module"),
            open(attributes::EXTERNAL_ENDPOINT, "the operation"),
            METHOD,
            HOST,
            PORT,
            STATUS,
            ERROR_TYPE,
        ],
    },
    Convention {
        title: "A call to another service of the product",
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
        title: "A call to another part of this service",
        name: "{service} {operation}",
        kind: "internal",
        made_by: "Tracer::service_call",
        attributes: &[open("code.function.name", "{service}.{operation}")],
    },
    Convention {
        title: "Sending an event",
        name: "emit {type}",
        kind: "producer",
        made_by: "Tracer::emit_event",
        attributes: AUDIT_EVENT,
    },
];
