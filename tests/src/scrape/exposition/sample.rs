//! One sample of an exposition.

use std::collections::BTreeMap;

/// One sample of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Name, with the suffix of a histogram's or summary's sample.
    pub name: String,
    /// Labels, unescaped.
    pub labels: BTreeMap<String, String>,
    /// Value.
    pub value: f64,
}
