//! What an alert is before a deployment's choices are filled in.
//!
//! An expression is PromQL with the placeholders `$GROUP` (the grouping labels), `$THRESHOLD`,
//! `$WINDOW` and `$JOB`, which [`placeholder`](crate::placeholder) fills. Selectors need none: a
//! deployment's matchers go into every selector of a scraped series.

use std::fmt::Display;
use std::str::FromStr;

use cap_names::closed_enum;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

closed_enum! {
    /// How much is alerted on.
    pub enum Profile: "profile" {
        /// The four recommended alerts.
        Recommended = "recommended",
        /// The recommended alerts, alerts on every group of the catalogue, and burn rates of
        /// service level objectives.
        Extended = "extended",
    }
}

closed_enum! {
    /// The value of an alert's label `severity`.
    pub enum Severity: "alert severity" {
        /// Someone must act now.
        Critical = "critical",
        /// Someone must act soon.
        Warning = "warning",
    }
}

/// One alert, before a deployment's choices.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Definition {
    pub(crate) name: String,
    /// The rule group.
    pub(crate) group: String,
    #[serde(deserialize_with = "word")]
    pub(crate) profile: Profile,
    #[serde(deserialize_with = "word")]
    pub(crate) severity: Severity,
    /// In Prometheus's spelling. `None` fires at once.
    #[serde(rename = "for")]
    pub(crate) for_duration: Option<String>,
    pub(crate) threshold: Option<String>,
    /// How far the expression looks back, in Prometheus's spelling.
    pub(crate) window: Option<String>,
    /// Whether the window keeps a single event in sight, so that it has to be longer than `for`.
    /// Other windows bridge lost scrapes and replaced pods, or say how much of the past counts.
    #[serde(default)]
    pub(crate) event: bool,
    pub(crate) expr: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    /// The value of the label `slo`, which the alerts on objectives have.
    pub(crate) slo: Option<String>,
    /// The runbook page, which several alerts can share. `None`: the page has the alert's name.
    pub(crate) page: Option<String>,
    pub(crate) runbook: Runbook,
}

/// What the person on call needs to know.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Runbook {
    pub(crate) meaning: String,
    pub(crate) impact: String,
    pub(crate) diagnosis: Vec<Diagnosis>,
    pub(crate) mitigation: String,
}

/// One thing to look at, and the query that shows it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Diagnosis {
    pub(crate) title: String,
    pub(crate) query: String,
}

impl Definition {
    pub(crate) fn page(&self) -> &str {
        self.page.as_deref().unwrap_or(&self.name)
    }
}

fn word<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}
