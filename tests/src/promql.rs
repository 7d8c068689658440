//! The part of PromQL that the generated alerts use, over a scrape history: which rules would fire, without a Prometheus.
//!
//! ```
//! use cap_tests::promql::{History, Labels};
//! use cap_tests::scrape::{Scrape, exposition};
//!
//! let families = exposition::parse("# HELP g G.\n# TYPE g gauge\ng{x=\"1\"} 3\n").unwrap();
//! let mut history = History::default();
//! history.scraped("certautopilot", "cap-1:8181", &Scrape { at: 1000.0, families });
//! let firing = history.alerts("max by (job) (last_over_time(g[10m])) > 2", 1060.0).unwrap();
//! assert_eq!(firing[&Labels::from([("job".into(), "certautopilot".into())])], 3.0);
//! ```
//!
//! Supported: selectors with matchers and `offset`, `last_over_time`, `increase`, `rate`, `sum`, `max` and `min` with
//! `by` or `without`, arithmetic and comparison with a scalar, `and`, `or` and `unless` with `on` or `ignoring`. The rest
//! of the language is [`Error::Unsupported`], never a wrong answer. Windows include the sample at their very start, as in
//! Prometheus 2; Prometheus 3 leaves it out.

#[cfg(test)]
mod against_prometheus;
mod aggregate;
mod binary;
mod eval;
mod history;
mod range;

pub use history::History;
use std::collections::BTreeMap;

/// The labels of a series, its name as `__name__`.
pub type Labels = BTreeMap<String, String>;

/// An instant vector.
pub type Vector = BTreeMap<Labels, f64>;

/// What an expression comes to at an instant.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// A number without labels.
    Scalar(f64),
    /// Series with one value each.
    Vector(Vector),
}

/// Why an expression has no value here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Not PromQL.
    #[error("not PromQL: {0}")]
    Syntax(String),
    /// PromQL that this evaluator does not know.
    #[error("not supported here: {0}")]
    Unsupported(String),
    /// PromQL that Prometheus would refuse to evaluate, too.
    #[error("cannot be evaluated: {0}")]
    Evaluation(String),
}

const NAME: &str = "__name__";

/// The vector without the names of its series, as after any arithmetic.
fn without_names(vector: Vector) -> Result<Vector, Error> {
    collect(vector.into_iter().map(|(mut labels, value)| {
        labels.remove(NAME);
        (labels, value)
    }))
}

fn collect(series: impl IntoIterator<Item = (Labels, f64)>) -> Result<Vector, Error> {
    let mut vector = Vector::new();
    for (labels, value) in series {
        if vector.contains_key(&labels) {
            return Err(Error::Evaluation(format!("{labels:?} is there twice")));
        }
        vector.insert(labels, value);
    }
    Ok(vector)
}
