//! Recording, a group for each subject, in the subject's words.

mod certificates;
mod deliveries;
mod external;
mod http;
mod jobs;
mod kek;
mod license;
mod pipelines;
mod process;

pub use certificates::Certificates;
pub use deliveries::{ChildRun, Discovery, Distribution, Notifications};
pub use external::External;
pub(crate) use http::UNMATCHED;
pub use http::{Http, HttpRequest};
pub use jobs::{JobRun, Jobs};
pub use kek::{HostKek, Kek, KekLaggards, KekRotation, KekState, KekVersion};
pub use license::{License, LicenseState};
pub use pipelines::{AuditTotals, EgressTotals, PipelineTotals, Pipelines, SpanTotals};
pub use process::Process;
