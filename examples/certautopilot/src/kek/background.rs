//! A rotation as background work: a span of its own, in the trace of whoever asked for it.

use cap_telemetry::Telemetry;
use cap_telemetry::names::ErrorClass;
use cap_telemetry::trace::Carrier;

use super::Rotations;
use crate::store::kek::Rotation;

/// Re-wraps until the rotation is complete. What stops it is logged; the next start of the service goes on with it.
pub(crate) async fn finish(
    rotations: &Rotations,
    telemetry: &Telemetry,
    rotation: &Rotation,
    asked_by: &Carrier,
) {
    let job = telemetry.tracer().job("kek_rotation", &rotation.id);
    let span = job.parent(asked_by).start();
    if let Err(error) = span.scope(rotations.run(rotation)).await {
        span.record_error(ErrorClass::IoPermanent, &error);
        span.in_scope(|| {
            ::tracing::error!(rotation = rotation.id, %error, "the KEK rotation stopped");
        });
    }
}
