//! The keys of span attributes, as backends filter on them.

/// Opaque id of the organization.
pub const ORG_ID: &str = "cap.tenant.org_id";
/// Opaque id of the project.
pub const PROJECT_ID: &str = "cap.tenant.project_id";
/// Who acted: one of [`ActorType`](crate::ActorType).
pub const ACTOR_TYPE: &str = "cap.actor.type";
/// Opaque id of the certificate.
pub const CERT_ID: &str = "cap.cert.id";
/// Opaque id of the distribution.
pub const DISTRIBUTION_ID: &str = "cap.distribution.id";
/// Opaque id of the job.
pub const JOB_ID: &str = "cap.job.id";
/// Name of the job type.
pub const JOB_TYPE: &str = "cap.job.type";
/// Number of the attempt, from 1.
pub const JOB_ATTEMPT: &str = "cap.job.attempt";
/// The external system: `acme`, `msca`, a DNS provider, a module.
pub const EXTERNAL_PROVIDER: &str = "cap.external.provider";
/// The operation that the external system is asked for.
pub const EXTERNAL_ENDPOINT: &str = "cap.external.endpoint";
/// The error class: one of [`ErrorClass`](crate::ErrorClass).
pub const ERROR_CLASS: &str = "cap.error.class";
/// Type of an audit event.
pub const EVENT_TYPE: &str = "cap.event.type";
/// Id of an audit event, the same in the SIEM's archive.
pub const EVENT_ID: &str = "cap.event.id";
