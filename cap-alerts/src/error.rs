//! What can go wrong in what a caller hands in.

/// A label name was refused.
#[derive(Debug, thiserror::Error)]
#[error(
    "{0:?} is not a label name: use letters, digits and underscores, do not start with a digit, and leave names in double \
     underscores to Prometheus"
)]
pub struct Error(pub(crate) String);
