//! What a probe found.

use std::time::Duration;

use cap_egress::{Stage, TlsProblem};
use cap_names::ErrorClass;
use serde::{Serialize, Serializer};

use crate::relay;

cap_names::closed_enum! {
    /// The stages of a probe, in order.
    #[non_exhaustive]
    pub enum ProbeStage: "stage" {
        /// Resolves the relay's name.
        Resolve = "resolve",
        /// Checks the addresses against the egress policy.
        Policy = "policy",
        /// Opens the connection.
        Connect = "connect",
        /// Does the TLS handshake.
        Tls = "tls",
        /// Writes the record.
        Write = "write",
        /// Waits for a second whether the relay keeps the connection open.
        Confirmed = "confirmed",
    }
}

impl From<Stage> for ProbeStage {
    fn from(stage: Stage) -> Self {
        match stage {
            Stage::Policy => Self::Policy,
            Stage::Connect => Self::Connect,
            Stage::Tls => Self::Tls,
            _ => Self::Resolve,
        }
    }
}

cap_names::closed_enum! {
    /// The result of a probe.
    #[non_exhaustive]
    pub enum ProbeVerdict: "verdict" {
        /// The relay took the record and kept the connection open.
        Confirmed = "confirmed",
        /// The record was sent in a datagram, which nothing confirms.
        Sent = "sent",
        /// [`ProbeReport::failure`] says why.
        Failed = "failed",
    }
}

cap_names::closed_enum! {
    /// Why a probe failed.
    #[non_exhaustive]
    pub enum ProbeCause: "cause" {
        /// The name has no address.
        NotResolved = "not_resolved",
        /// The egress policy forbids the relay's address.
        Denied = "denied",
        /// Nothing listens on the port.
        Refused = "refused",
        /// No route leads to the relay.
        Unreachable = "unreachable",
        /// The relay does not answer.
        TimedOut = "timed_out",
        /// TLS failed; [`ProbeFailure::tls`] says why.
        Tls = "tls",
        /// The port speaks TLS, and the transport is not `tcp+tls`.
        TlsExpected = "tls_expected",
        /// The relay accepts records in the other framing.
        Framing = "framing",
        /// The relay closes the connection on the record.
        Closed = "closed",
    }
}

/// One stage of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeStep {
    /// The stage.
    #[serde(serialize_with = "stage")]
    pub stage: ProbeStage,
    /// How long it took, or had taken when it failed. Serialized in milliseconds as `took_ms`.
    #[serde(rename = "took_ms", serialize_with = "milliseconds")]
    pub took: Duration,
}

/// What is wrong and what to change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeFailure {
    /// The stage that failed.
    #[serde(serialize_with = "stage")]
    pub stage: ProbeStage,
    /// Why.
    #[serde(serialize_with = "cause")]
    pub cause: ProbeCause,
    /// The error class.
    #[serde(serialize_with = "relay::class")]
    pub class: ErrorClass,
    /// The problem of TLS, if it is one.
    #[serde(serialize_with = "relay::tls_problem")]
    pub tls: Option<TlsProblem>,
    /// What happened. It names the relay as configured, never an address that its name resolved to.
    pub message: String,
    /// What to change.
    pub hint: String,
}

/// The report of a probe.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ProbeReport {
    /// The relay as configured, `host:port`.
    pub relay: String,
    /// The transport as it is written in a configuration.
    pub transport: &'static str,
    /// The result.
    #[serde(serialize_with = "verdict")]
    pub verdict: ProbeVerdict,
    /// The stages that began, in order. If the probe failed, the last one failed.
    pub steps: Vec<ProbeStep>,
    /// The failure; `None` if the probe passed.
    pub failure: Option<ProbeFailure>,
    /// The record that was sent, without its frame.
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
