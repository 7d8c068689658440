//! Recording: a group of methods for each subject, in the subject's words.

mod certificates;
mod discovery;
mod distribution;
mod external;
mod http;
mod jobs;
mod kek;
mod license;
mod notifications;
mod pipelines;
mod process;

pub use certificates::Certificates;
pub use discovery::Discovery;
pub use distribution::{ChildRun, Distribution};
pub use external::External;
pub use http::{Http, HttpRequest};
pub use jobs::{JobRun, Jobs};
pub use kek::{HostKek, Kek, KekLaggards, KekRotation, KekState, KekVersion};
pub use license::{License, LicenseState};
pub use notifications::Notifications;
pub use pipelines::{AuditTotals, EgressTotals, PipelineTotals, Pipelines, SpanTotals};
pub use process::Process;
