//! The fields of the form, and the error in one of them.

use cap_names::closed_enum;
use serde::{Serialize, Serializer};

closed_enum! {
    /// A field of the form.
    #[non_exhaustive]
    pub enum Field: "field" {
        /// Whether audit events are forwarded.
        Enabled = "enabled",
        /// The name or address of the relay.
        Host = "host",
        /// The port of the relay. Empty: the usual one of the transport.
        Port = "port",
        /// `udp`, `tcp` or `tcp+tls`.
        Transport = "transport",
        /// `octet-counting` or `newline`. Not used over UDP.
        Framing = "framing",
        /// `local0` to `local7`, or a code from 0 to 23.
        Facility = "facility",
        /// HOSTNAME of the records. Empty: the instance name.
        Hostname = "hostname",
        /// APP-NAME of the records.
        AppName = "app_name",
        /// CA certificates, in PEM, that are trusted for the relay.
        Ca = "ca",
    }
}

/// An error in a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, thiserror::Error)]
#[error("{field}: {message}")]
#[non_exhaustive]
pub struct FieldError {
    /// The field.
    #[serde(serialize_with = "word")]
    pub field: Field,
    /// What is wrong, and what to write instead.
    pub message: String,
}

impl FieldError {
    pub(super) fn new(field: Field, message: impl std::fmt::Display) -> Self {
        Self { field, message: message.to_string() }
    }
}

fn word<S: Serializer>(field: &Field, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(field.as_str())
}
