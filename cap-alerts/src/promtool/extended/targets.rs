//! Alerts on targets. `up` is written by Prometheus whether a scrape succeeds or not, so a lost scrape is a 0, and only a target
//! that is no longer configured takes its series away.

use super::faults::{C, W};
use super::shape::Shape::{Absent, At};
use super::{BEFORE, Case, target};

const DOWN: &str =
    r#"count_over_time(ALERTS{alertname="CertAutoPilotDown",alertstate="firing"}[2h])"#;
const REPLICA_DOWN: &str =
    r#"count_over_time(ALERTS{alertname="CertAutoPilotReplicaDown",alertstate="firing"}[2h])"#;

/// One of two replicas is gone: that is not the service's being down.
pub(super) fn lost_replica() -> Case {
    let up = [At(1.0).samples(0, 120)];
    let lost = [At(1.0).samples(0, BEFORE), At(0.0).samples(0, 60)];
    Case::every_minute("CertAutoPilotReplicaDown")
        .series("up", &target("lost", "faulty", "a"), "", &up)
        .series("up", &target("lost", "faulty", "b"), "", &lost)
        .quiet(
            74,
            r#"ALERTS{alertname="CertAutoPilotReplicaDown",alertstate="firing"}"#,
        )
        .firing(
            75,
            "CertAutoPilotReplicaDown",
            "lost",
            "faulty",
            W,
            r#"instance="b:8181""#,
        )
        .quiet(119, DOWN)
}

/// The service is down, and its pods are replaced meanwhile by others that are no better.
pub(super) fn replaced_while_down() -> Case {
    let gone = [
        At(1.0).samples(0, BEFORE),
        At(0.0).samples(0, 3),
        "stale".to_owned(),
    ];
    let born = [Absent.samples(0, BEFORE + 6), At(0.0).samples(0, 54)];
    let stays = [At(1.0).samples(0, BEFORE), At(0.0).samples(0, 60)];
    let instance = |name| format!(r#"instance="{name}:8181""#);
    Case::every_minute("pods replaced while the service is down do not start its hold anew")
        .series("up", &target("down", "restart", "a"), "", &gone)
        .series("up", &target("down", "restart", "b"), "", &stays)
        .series("up", &target("down", "restart", "c"), "", &born)
        .quiet(64, DOWN)
        .firing(65, "CertAutoPilotDown", "down", "restart", C, "")
        .firing(119, "CertAutoPilotDown", "down", "restart", C, "")
        // The pod that was replaced is nobody's concern, and its successor is from its own first scrape on.
        .firing(75, "CertAutoPilotReplicaDown", "down", "restart", W, &instance("b"))
        .quiet(
            119,
            r#"count_over_time(ALERTS{alertname="CertAutoPilotReplicaDown",alertstate="firing",instance="a:8181"}[2h])"#,
        )
        .quiet(
            80,
            r#"ALERTS{alertname="CertAutoPilotReplicaDown",alertstate="firing",instance="c:8181"}"#,
        )
        .results("81m", r#"ALERTS{alertname="CertAutoPilotReplicaDown",alertstate="firing",instance="c:8181"}"#, 1)
}

/// What happens every week: scrapes of all replicas are lost for four minutes, and each replica restarts, for fourteen at most.
pub(super) fn harmless() -> Case {
    let up = |minutes| At(1.0).samples(0, minutes);
    let lost = |minutes| At(0.0).samples(0, minutes);
    let first = [up(20), lost(4), up(16), lost(14), up(66)];
    let second = [up(20), lost(4), up(36), lost(14), up(46)];
    let cold = [Absent.samples(0, 30), up(90)];
    Case::every_minute("lost scrapes and rolling restarts are no outage")
        .series("up", &target("up", "rolling", "a"), "", &first)
        .series("up", &target("up", "rolling", "b"), "", &second)
        .series("up", &target("up", "cold", "a"), "", &cold)
        .quiet(119, DOWN)
        .quiet(119, REPLICA_DOWN)
}
