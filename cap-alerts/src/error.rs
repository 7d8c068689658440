//! What can go wrong in what a caller hands in.

/// Something of what a caller handed in was refused. The message says what, and what to write instead.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct Error(pub(crate) Kind);

#[derive(Debug, thiserror::Error)]
pub(crate) enum Kind {
    #[error(
        "{0:?} is not a label name: use letters, digits and underscores, do not start with a digit, and leave names in double \
         underscores to Prometheus"
    )]
    LabelName(String),
    #[error("{0:?} is not a selector: write matchers as between braces, such as namespace=\"pki\"")]
    Selector(String),
    #[error(
        "{0:?} is not a job's name: write the value of the label `job`, without quotes, backslashes and dollar signs"
    )]
    Job(String),
    #[error("{0}")]
    Document(String),
    #[error("{0:?} sets nothing: write KEY=VALUE or ALERT.KEY=VALUE")]
    Assignment(String),
    #[error("{0}: {1}")]
    Value(String, String),
    #[error("no alert is called {0:?}: {1}")]
    NoSuchAlert(String, String),
    #[error("{0} has no {1} to set")]
    Lacks(String, &'static str),
}
