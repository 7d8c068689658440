//! One mistake that the checker found.

use std::fmt;

/// One mistake in an expression. Displayed as `message: reason; suggestion`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Finding {
    /// The lint that found it.
    pub lint: Lint,
    /// What is wrong.
    pub message: String,
    /// Why that is wrong.
    pub reason: String,
    /// What to write instead.
    pub suggestion: String,
}

/// A kind of mistake that [`check`](crate::check) or [`check_file`](crate::check_file) finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Lint {
    /// The expression cannot be parsed.
    Syntax,
    /// The catalogue declares no such metric.
    UnknownMetric,
    /// The metric has no such label.
    UnknownLabel,
    /// The label never has such a value.
    UnknownValue,
    /// The two sides of an operator can never match.
    NeverMatches,
    /// The two sides of `and` or `unless` match only where a label happens to be absent.
    Unmatched,
    /// An aggregation or a matching names a label that no series carries.
    AbsentLabel,
    /// A function does not suit the type of the metric.
    WrongType,
    /// A quantile of something other than a histogram, without `le`, or not over time.
    NotAHistogram,
    /// A single event leaves the window before the alert fires.
    ShortWindow,
    /// A template names a label that the result does not carry.
    TemplateLabel,
}

impl Finding {
    pub(crate) fn new(
        lint: Lint,
        message: impl Into<String>,
        reason: impl Into<String>,
        suggestion: impl Into<String>,
    ) -> Self {
        Self { lint, message: message.into(), reason: reason.into(), suggestion: suggestion.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}; {}", self.message, self.reason, self.suggestion)
    }
}
