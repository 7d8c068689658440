//! What a Test found.

use std::time::Duration;

use cap_egress::{Stage, TlsProblem};
use cap_names::ErrorClass;
use serde::{Serialize, Serializer};

use crate::relay;

cap_names::closed_enum! {
    /// The stages of a Test, in order.
    #[non_exhaustive]
    pub enum ProbeStage: "stage" {
        /// Asking for the addresses of the relay's name.
        Resolve = "resolve",
        /// Judging them by the egress policy.
        Policy = "policy",
        /// Opening the connection.
        Connect = "connect",
        /// The TLS handshake.
        Tls = "tls",
        /// Writing the record.
        Write = "write",
        /// The relay keeps the connection open for a second.
        Confirmed = "confirmed",
    }
}

impl From<Stage> for ProbeStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Policy => ProbeStage::Policy,
            Stage::Connect => ProbeStage::Connect,
            Stage::Tls => ProbeStage::Tls,
            _ => ProbeStage::Resolve,
        }
    }
}

cap_names::closed_enum! {
    /// What a Test comes to.
    #[non_exhaustive]
    pub enum ProbeVerdict: "verdict" {
        /// The relay took the record and kept the connection open.
        Confirmed = "confirmed",
        /// The record was sent, and nothing says whether it arrived: a datagram.
        Sent = "sent",
        /// See [`ProbeReport::failure`].
        Failed = "failed",
    }
}

cap_names::closed_enum! {
    /// Reason a Test failed.
    #[non_exhaustive]
    pub enum ProbeCause: "cause" {
        /// The name has no address.
        NotResolved = "not_resolved",
        /// The egress policy forbids the relay's address.
        Denied = "denied",
        /// Nothing listens on the port.
        Refused = "refused",
        /// There is no way to the relay.
        Unreachable = "unreachable",
        /// The relay does not answer.
        TimedOut = "timed_out",
        /// TLS failed; [`ProbeFailure::tls`] says why.
        Tls = "tls",
        /// The port speaks TLS, and the transport is not `tcp+tls`.
        TlsExpected = "tls_expected",
        /// The relay takes records in the other framing.
        Framing = "framing",
        /// The relay closes the connection on the record.
        Closed = "closed",
    }
}

/// How a stage went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeStep {
    /// Which one.
    #[serde(serialize_with = "stage")]
    pub stage: ProbeStage,
    /// How long it took, or had taken when it failed; in milliseconds where it is serialised.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
}

/// What is wrong, and what to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeFailure {
    /// The stage at which it showed.
    #[serde(serialize_with = "stage")]
    pub stage: ProbeStage,
    /// Reason.
    #[serde(serialize_with = "cause")]
    pub cause: ProbeCause,
    /// The kind of failure.
    #[serde(serialize_with = "relay::class")]
    pub class: ErrorClass,
    /// What TLS found wrong, where it did.
    #[serde(serialize_with = "relay::tls_problem")]
    pub tls: Option<TlsProblem>,
    /// What happened. Names the relay as configured, never an address that its name resolved to.
    pub message: String,
    /// What to change.
    pub hint: String,
}

/// What a Test found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeReport {
    /// The relay as configured, `host:port`.
    pub relay: String,
    /// The transport's word.
    pub transport: &'static str,
    /// What it comes to.
    #[serde(serialize_with = "verdict")]
    pub verdict: ProbeVerdict,
    /// The stages that were entered, in order. The last one is where it failed, if it did.
    pub steps: Vec<ProbeStep>,
    /// What is wrong, where something is.
    pub failure: Option<ProbeFailure>,
    /// The record as it was rendered, without a frame.
    pub record: String,
}

fn stage<S: Serializer>(stage: &ProbeStage, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(stage.as_str())
}

fn cause<S: Serializer>(cause: &ProbeCause, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(cause.as_str())
}

fn verdict<S: Serializer>(verdict: &ProbeVerdict, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(verdict.as_str())
}

fn milliseconds<S: Serializer>(took: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(took.as_micros() as f64 / 1000.0)
}
