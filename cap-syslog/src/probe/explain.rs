//! Why a probe failed: a cause, a class, and words that say what to change.

use std::io;

use cap_egress::TlsProblem;

use super::report::{ProbeCause, ProbeFailure, ProbeStage};
use crate::config::Relay;
use crate::relay::RelayError;

pub(super) fn not_connected(error: &cap_egress::Error) -> ProbeFailure {
    let problem = RelayError::connecting(error);
    let stage = ProbeStage::from(error.stage());
    let kind = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    let (cause, hint) = match stage {
        ProbeStage::Policy => (
            ProbeCause::Denied,
            "use a relay that the egress policy allows, or exempt its address under egress.allow",
        ),
        ProbeStage::Tls => (
            ProbeCause::Tls,
            match problem.tls {
                Some(tls) => tls.hint(),
                None => {
                    "check that the relay speaks TLS on this port; without TLS the transport is tcp"
                }
            },
        ),
        _ if error.is_timeout() => return silent_with(stage, problem.message),
        ProbeStage::Connect if kind == Some(io::ErrorKind::ConnectionRefused) => {
            (ProbeCause::Refused, "check the port, and that the relay runs")
        }
        ProbeStage::Connect => (
            ProbeCause::Unreachable,
            "check the network, the routes and the firewalls between here and the relay",
        ),
        _ => (ProbeCause::NotResolved, "check the relay's name, and the DNS of this host"),
    };
    ProbeFailure {
        stage,
        cause,
        class: problem.class,
        tls: problem.tls,
        message: problem.message,
        hint: hint.to_owned(),
    }
}

/// The time is over.
pub(super) fn silent(stage: ProbeStage, relay: &Relay) -> ProbeFailure {
    let message = match stage {
        ProbeStage::Resolve => format!("the name of {relay} is not resolved in time"),
        ProbeStage::Tls => format!("{relay} does not answer the TLS handshake"),
        ProbeStage::Confirmed => format!("{relay} does not acknowledge the record"),
        _ => format!("{relay} does not answer"),
    };
    silent_with(stage, message)
}

fn silent_with(stage: ProbeStage, message: String) -> ProbeFailure {
    let (cause, tls, hint) = match stage {
        ProbeStage::Resolve => (ProbeCause::NotResolved, None, "check the DNS of this host"),
        ProbeStage::Tls => (
            ProbeCause::Tls,
            Some(TlsProblem::NotTls),
            "check that the relay speaks TLS on this port; without TLS the transport is tcp",
        ),
        _ => (
            ProbeCause::TimedOut,
            None,
            "check the host and the port, and the firewalls between here and the relay",
        ),
    };
    ProbeFailure {
        stage,
        cause,
        class: cap_names::ErrorClass::Network,
        tls,
        message,
        hint: hint.to_owned(),
    }
}

pub(super) fn broken(stage: ProbeStage, error: &io::Error) -> ProbeFailure {
    let refused = error.kind() == io::ErrorKind::ConnectionRefused;
    let failure = rejected(RelayError::broken(error));
    ProbeFailure {
        stage,
        cause: if refused { ProbeCause::Refused } else { failure.cause },
        hint: if refused {
            "check the port, and that the relay runs and listens for datagrams".to_owned()
        } else {
            failure.hint
        },
        ..failure
    }
}

pub(super) fn tls_expected() -> ProbeFailure {
    ProbeFailure {
        stage: ProbeStage::Confirmed,
        cause: ProbeCause::TlsExpected,
        class: cap_names::ErrorClass::Network,
        tls: None,
        message: "the relay speaks TLS on this port".to_owned(),
        hint: "set the transport to tcp+tls, or the port to one without TLS".to_owned(),
    }
}

/// The relay ended the connection, with or without a reason.
pub(super) fn rejected(problem: RelayError) -> ProbeFailure {
    let (cause, hint) = match problem.tls {
        Some(tls) => (ProbeCause::Tls, tls.hint()),
        None => (
            ProbeCause::Closed,
            "look into the relay's log: it may not allow this host, or may want another kind of input on this port",
        ),
    };
    ProbeFailure {
        stage: ProbeStage::Confirmed,
        cause,
        class: problem.class,
        tls: problem.tls,
        message: problem.message,
        hint: hint.to_owned(),
    }
}
