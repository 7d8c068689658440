//! The list of alerts, as data.

use crate::definition::Definition;

mod certificates;
mod external;
mod jobs;
mod keys;
mod pipelines;
mod recommended;
mod service;
mod slo;

pub(crate) use slo::recording_rules;

/// Every alert, in the order of the generated files: the recommended alerts first.
pub(crate) fn definitions() -> Vec<Definition> {
    [
        recommended::alerts(),
        service::alerts(),
        certificates::alerts(),
        jobs::alerts(),
        keys::alerts(),
        external::alerts(),
        pipelines::alerts(),
        slo::alerts(),
    ]
    .concat()
}
