//! What a deployment chooses about its alerts.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// The choices of a deployment.
///
/// ```
/// # fn main() -> Result<(), cap_alerts::Error> {
/// let mut options = cap_alerts::Options::default();
/// options.grouping = vec!["region".parse()?, "job".parse()?];
/// assert!(cap_alerts::rules_file(&options).contains("by (region, job)"));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// The labels that tell one installation from another: alerts are counted per combination of their values, whatever the
    /// number of replicas behind it. A label that no series carries does no harm. By default `cluster`, `namespace`, `job`.
    pub grouping: Vec<LabelName>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            grouping: ["cluster", "namespace", "job"]
                .map(|name| LabelName(name.to_owned()))
                .to_vec(),
        }
    }
}

/// The name of a label, by the grammar of Prometheus's data model.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelName(String);

impl LabelName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LabelName {
    type Err = Error;

    /// # Errors
    ///
    /// The text is not `[a-zA-Z_][a-zA-Z0-9_]*`, or starts with the two underscores of Prometheus's own labels.
    fn from_str(name: &str) -> Result<Self, Error> {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let starts = |c: char| !c.is_ascii_digit();
        if name.starts_with(starts) && name.chars().all(word) && !name.starts_with("__") {
            Ok(LabelName(name.to_owned()))
        } else {
            Err(Error(name.to_owned()))
        }
    }
}

impl fmt::Display for LabelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_prometheus_label_names_are_taken() {
        for name in ["cluster", "_zone", "k8s_cluster"] {
            assert_eq!(name.parse::<LabelName>().unwrap().as_str(), name);
        }
        for name in [
            "",
            "1st",
            "a-b",
            "job) or vector(1",
            "straße",
            "__name__",
            "a b",
        ] {
            assert!(name.parse::<LabelName>().is_err(), "{name}");
        }
    }
}
