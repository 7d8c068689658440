//! Why a Test failed, in a cause, a class and words that say what to change.

use std::io;

use cap_egress::TlsProblem;

use super::report::{Cause, Failure, ProbeStage};
use crate::config::Relay;
use crate::problem::Problem;

pub(super) fn not_connected(error: &cap_egress::Error) -> Failure {
    let problem = Problem::connecting(error);
    let stage = ProbeStage::from(error.stage());
    let kind = std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<io::Error>())
        .map(io::Error::kind);
    let (cause, hint) = match stage {
        ProbeStage::Policy => (
            Cause::Denied,
            "use a relay that the egress policy allows, or exempt its address under egress.allow",
        ),
        ProbeStage::Tls => (
            Cause::Tls,
            match problem.tls {
                Some(tls) => tls.hint(),
                None => {
                    "check that the relay speaks TLS on this port; without TLS the transport is tcp"
                }
            },
        ),
        _ if error.is_timeout() => return silent_with(stage, problem.message),
        ProbeStage::Connect if kind == Some(io::ErrorKind::ConnectionRefused) => {
            (Cause::Refused, "check the port, and that the relay runs")
        }
        ProbeStage::Connect => (
            Cause::Unreachable,
            "check the network, the routes and the firewalls between here and the relay",
        ),
        _ => (
            Cause::NotResolved,
            "check the relay's name, and the DNS of this host",
        ),
    };
    Failure {
        stage,
        cause,
        class: problem.class,
        tls: problem.tls,
        message: problem.message,
        hint: hint.to_owned(),
    }
}

/// The time ran out.
pub(super) fn silent(stage: ProbeStage, relay: &Relay) -> Failure {
    let message = match stage {
        ProbeStage::Resolve => format!("the name of {relay} is not resolved in time"),
        ProbeStage::Tls => format!("{relay} does not answer the TLS handshake"),
        ProbeStage::Confirmed => format!("{relay} does not acknowledge the record"),
        _ => format!("{relay} does not answer"),
    };
    silent_with(stage, message)
}

fn silent_with(stage: ProbeStage, message: String) -> Failure {
    let (cause, tls, hint) = match stage {
        ProbeStage::Resolve => (Cause::NotResolved, None, "check the DNS of this host"),
        ProbeStage::Tls => (
            Cause::Tls,
            Some(TlsProblem::NotTls),
            "check that the relay speaks TLS on this port; without TLS the transport is tcp",
        ),
        _ => (
            Cause::TimedOut,
            None,
            "check the host and the port, and the firewalls between here and the relay",
        ),
    };
    Failure {
        stage,
        cause,
        class: cap_names::ErrorClass::Network,
        tls,
        message,
        hint: hint.to_owned(),
    }
}

pub(super) fn broken(stage: ProbeStage, error: &io::Error) -> Failure {
    let refused = error.kind() == io::ErrorKind::ConnectionRefused;
    let failure = rejected(Problem::broken(error));
    Failure {
        stage,
        cause: if refused {
            Cause::Refused
        } else {
            failure.cause
        },
        hint: if refused {
            "check the port, and that the relay runs and listens for datagrams".to_owned()
        } else {
            failure.hint
        },
        ..failure
    }
}

pub(super) fn tls_expected() -> Failure {
    Failure {
        stage: ProbeStage::Confirmed,
        cause: Cause::TlsExpected,
        class: cap_names::ErrorClass::Network,
        tls: None,
        message: "the relay speaks TLS on this port".to_owned(),
        hint: "set the transport to tcp+tls, or the port to one without TLS".to_owned(),
    }
}

/// The relay ended the connection, and said why or did not.
pub(super) fn rejected(problem: Problem) -> Failure {
    let (cause, hint) = match problem.tls {
        Some(tls) => (Cause::Tls, tls.hint()),
        None => (
            Cause::Closed,
            "look into the relay's log: it may not allow this host, or may want another kind of input on this port",
        ),
    };
    Failure {
        stage: ProbeStage::Confirmed,
        cause,
        class: problem.class,
        tls: problem.tls,
        message: problem.message,
        hint: hint.to_owned(),
    }
}
