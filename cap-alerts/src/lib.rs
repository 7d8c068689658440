//! CertAutoPilot's recommended Prometheus alerts, generated as files and checked against the metric catalogue.
//!
//! ```
//! use cap_alerts::{Lint, Options, check, prometheus_rule, rules_file};
//!
//! let options = Options::default();
//! assert!(rules_file(&options).contains("alert: KEKClusterNotReady"));
//! assert!(prometheus_rule(&options).contains("kind: PrometheusRule"));
//!
//! // Prometheus takes this without complaint, and it stays empty for ever.
//! let findings = check(r#"cap_license_valid == 0 and cap_certificates_expiring_in_days{threshold="7"} > 0"#);
//! assert_eq!(findings[0].lint, Lint::NeverMatches);
//! ```
//!
//! [`alerts`] is the data; [`rules_file`] and [`prometheus_rule`] are the same alerts in the two forms that are loaded;
//! [`rule_tests`] says, for promtool, when each must fire and when not. [`check`] reads any expression and follows every
//! selector to the catalogue, and labels from there to every operator. [`generated_files`] is all that is generated into the
//! repository.
//!
//! # What it does not do
//!
//! It writes no file, asks no Prometheus server and runs no tool: options go in, text comes out, and the same text every
//! time. It has no features. Label names are checked before they stand in an expression; nothing else of a caller's does.

#![forbid(unsafe_code)]

mod alert;
mod alertmanager;
mod alerts;
mod chart;
mod check;
mod dashboard;
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
pub use dashboard::{Dashboard, Panel, Query, Row, dashboard};
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
