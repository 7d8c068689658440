//! CertAutoPilot's Prometheus alerts, generated as files and checked against the metric catalogue.
//!
//! ```
//! use cap_alerts::{Lint, Options, check, prometheus_rule, rules_file};
//!
//! let options = Options::default();
//! assert!(rules_file(&options).contains("alert: KEKClusterNotReady"));
//! assert!(prometheus_rule(&options).contains("kind: PrometheusRule"));
//!
//! // Prometheus accepts this without complaint, and it never has a result.
//! let findings = check(
//!     r#"cap_license_valid == 0 and cap_certificates_expiring_in_days{threshold="7"} > 0"#,
//! );
//! assert_eq!(findings[0].lint, Lint::NeverMatches);
//! ```
//!
//! - [`alerts`] and [`recordings`] return the rules of a deployment's [`Options`] as data.
//! - [`rules_file`] and [`prometheus_rule`] render the rules for Prometheus and for its operator.
//! - [`alertmanager`] renders the inhibit rules.
//! - [`check`] reads any expression. It follows selectors to the catalogue, and their labels to
//!   every operator. [`check_file`] does the same for a rule file.
//! - [`generated_files`] returns every generated file of the repository.
//!
//! # What it does not do
//!
//! The crate writes no file, queries no Prometheus and runs no program. Options go in and text
//! comes out; the same options give the same text. It has no features. Label names, selectors and
//! the job are validated before they go into an expression.

#![forbid(unsafe_code)]

mod alert;
mod alertmanager;
mod alerts;
mod chart;
mod check;
mod definition;
mod duration;
mod error;
mod expr;
mod finding;
mod generated_file;
mod labels;
mod matching;
mod metric_types;
mod options;
mod placeholder;
mod reference;
mod render;
mod rule_file;
mod runbook;
mod selector;
mod syntax;
mod window;

pub use alert::{Alert, Recording, alerts, recordings};
pub use alertmanager::alertmanager;
pub use check::check;
pub use definition::{Profile, Severity};
pub use error::Error;
pub use finding::{Finding, Lint};
pub use generated_file::{GeneratedFile, generated_files, with_note};
pub use options::{Job, LabelName, Options, Selector};
pub use render::{prometheus_rule, rules_file};
pub use rule_file::{RuleFinding, check_file};

/// The README's example, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
