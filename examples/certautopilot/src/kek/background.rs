//! A rotation as background work: a span of its own, in the trace of whoever asked for it.

use cap_telemetry::Telemetry;
use cap_telemetry::names::ErrorClass;
use cap_telemetry::trace::{Carrier, Job};

use super::Rotations;
use crate::store::kek::Rotation;

/// Re-wraps until the rotation is complete. What stops it is logged; the next start of the service goes on with it.
pub(crate) async fn finish(
    rotations: &Rotations,
    telemetry: &Telemetry,
    rotation: &Rotation,
    asked_by: &Carrier,
) {
    let job = Job {
        job_type: "kek_rotation",
        id: &rotation.id,
        attempt: 1,
        certificate_id: None,
        distribution_id: None,
        project_id: None,
    };
    let span = telemetry.tracer().job(&job, asked_by, None);
    if let Err(error) = span.scope(rotations.run(rotation)).await {
        span.fail(ErrorClass::IoPermanent, &error);
        span.in_scope(|| {
            ::tracing::error!(rotation = rotation.id, %error, "the KEK rotation stopped");
        });
    }
}
