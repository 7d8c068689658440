//! Why a caller's options are refused.

/// A caller's option was refused. The message says which one, why, and what to write instead.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(pub(crate) Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error(
        "{0:?} is not a label name: use letters, digits and underscores, do not start with a digit, and leave names that start \
         with two underscores to Prometheus"
    )]
    LabelName(String),
    #[error("{0:?} is not a selector: write matchers as between braces, such as namespace=\"pki\"")]
    Selector(String),
    #[error(
        "{0:?} is not a job: write the value of the label `job`, without quotes, backslashes and dollar signs"
    )]
    Job(String),
    #[error("{0}")]
    Document(String),
    #[error("{0:?} sets nothing: write KEY=VALUE or ALERT.KEY=VALUE")]
    Assignment(String),
    #[error("{key}: {problem}")]
    Value { key: String, problem: String },
    #[error("no alert is called {name:?}: {suggestion}")]
    NoSuchAlert { name: String, suggestion: String },
    #[error("{alert} has no {key} to set: remove this key")]
    NoSuchSetting { alert: String, key: &'static str },
}
