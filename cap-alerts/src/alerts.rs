//! The list of alerts, as data.

use std::sync::LazyLock;

use crate::definition::Definition;

mod slo;

pub(crate) use slo::recording_rules;

/// Every alert, in the order of the generated files: the recommended alerts first.
pub(crate) fn definitions() -> &'static [Definition] {
    static LIST: LazyLock<Vec<Definition>> = LazyLock::new(|| {
        let mut list: Vec<Definition> = serde_saphyr::from_str(include_str!("alerts.yaml"))
            .expect("alerts.yaml is a list of definitions");
        list.extend(slo::alerts());
        list
    });
    &LIST
}
