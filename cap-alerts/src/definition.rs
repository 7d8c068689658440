//! What there is to alert on: every alert as data, with placeholders where a deployment chooses.
//!
//! An expression is PromQL with `$GROUP` (the grouping labels), `$THRESHOLD`, `$WINDOW` and `$JOB`; [`filled`] puts the values in.
//! A selector needs no placeholder: it goes into every selector of a series that is scraped.

use std::borrow::Cow;

use cap_names::closed_enum;

mod certificates;
mod fill;
mod jobs;
mod keys;
mod outside;
mod pipes;
mod service;

pub(crate) use fill::{Values, filled, with_selector};

use crate::slo;

closed_enum! {
    /// How much is alerted on.
    pub enum Profile: "profile" {
        /// The four recommended alerts.
        Recommended = "recommended",
        /// Those, alerts on every group of the catalogue, and burn rates of service level objectives.
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

type Text = Cow<'static, str>;

/// One alert, before a deployment's choices.
#[derive(Clone, Debug)]
pub(crate) struct Definition {
    pub(crate) name: Text,
    pub(crate) profile: Profile,
    pub(crate) group: &'static str,
    pub(crate) expr: Text,
    pub(crate) threshold: Option<Text>,
    pub(crate) window: Option<Window>,
    /// In Prometheus's spelling; `None` fires at once.
    pub(crate) hold: Option<&'static str>,
    pub(crate) severity: Severity,
    /// A label beside the severity.
    pub(crate) label: Option<(&'static str, &'static str)>,
    pub(crate) summary: Text,
    pub(crate) description: Text,
    /// The page of this alert, which several may share.
    pub(crate) page: Text,
    pub(crate) runbook: Runbook,
}

/// How far an expression looks back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// In Prometheus's spelling.
    pub(crate) length: &'static str,
    pub(crate) kind: WindowKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WindowKind {
    /// Bridges lost scrapes and replaced pods, or says how much of the past counts.
    Past,
    /// Keeps a single event in sight, so it has to be longer than the hold.
    Event,
}

/// What a person who is woken needs to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runbook {
    pub(crate) meaning: Text,
    pub(crate) impact: Text,
    /// What to look at, and the query that shows it.
    pub(crate) diagnosis: Vec<(Text, Text)>,
    pub(crate) mitigation: Text,
}

impl Definition {
    fn new(name: impl Into<Text>, expr: impl Into<Text>) -> Self {
        let name = name.into();
        Definition {
            page: name.clone(),
            name,
            profile: Profile::Extended,
            group: "",
            expr: expr.into(),
            threshold: None,
            window: None,
            hold: None,
            severity: Severity::Warning,
            label: None,
            summary: Text::default(),
            description: Text::default(),
            runbook: Runbook::default(),
        }
    }

    pub(crate) fn build(name: impl Into<Text>, expr: impl Into<Text>) -> Self {
        Self::new(name, expr)
    }

    fn recommended(mut self) -> Self {
        self.profile = Profile::Recommended;
        self
    }

    pub(crate) fn critical(mut self) -> Self {
        self.severity = Severity::Critical;
        self
    }

    pub(crate) fn hold(mut self, hold: &'static str) -> Self {
        self.hold = Some(hold);
        self
    }

    pub(crate) fn threshold(mut self, threshold: impl Into<Text>) -> Self {
        self.threshold = Some(threshold.into());
        self
    }

    fn past(mut self, length: &'static str) -> Self {
        let kind = WindowKind::Past;
        self.window = Some(Window { length, kind });
        self
    }

    fn event(mut self, length: &'static str) -> Self {
        let kind = WindowKind::Event;
        self.window = Some(Window { length, kind });
        self
    }

    pub(crate) fn label(mut self, name: &'static str, value: &'static str) -> Self {
        self.label = Some((name, value));
        self
    }

    pub(crate) fn says(mut self, summary: impl Into<Text>, description: impl Into<Text>) -> Self {
        self.summary = summary.into();
        self.description = description.into();
        self
    }

    pub(crate) fn page(mut self, page: impl Into<Text>) -> Self {
        self.page = page.into();
        self
    }

    pub(crate) fn runbook(
        mut self,
        meaning: impl Into<Text>,
        impact: impl Into<Text>,
        diagnosis: impl IntoIterator<Item = (&'static str, Text)>,
        mitigation: impl Into<Text>,
    ) -> Self {
        let diagnosis = diagnosis.into_iter();
        self.runbook = Runbook {
            meaning: meaning.into(),
            impact: impact.into(),
            diagnosis: diagnosis
                .map(|(what, query)| (what.into(), query))
                .collect(),
            mitigation: mitigation.into(),
        };
        self
    }
}

/// Every alert there is, in the order of the files.
pub(crate) fn definitions() -> Vec<Definition> {
    let groups: [(&'static str, Vec<Definition>); 7] = [
        ("certautopilot-service", service::alerts()),
        ("certautopilot-certificates", certificates::alerts()),
        ("certautopilot-jobs", jobs::alerts()),
        ("certautopilot-keys", keys::alerts()),
        ("certautopilot-outside", outside::alerts()),
        ("certautopilot-pipes", pipes::alerts()),
        ("certautopilot-slo", slo::alerts()),
    ];
    let named = |(group, alerts): (&'static str, Vec<Definition>)| {
        alerts.into_iter().map(move |alert| Definition {
            group: match alert.profile {
                Profile::Recommended => "certautopilot",
                Profile::Extended => group,
            },
            ..alert
        })
    };
    let all = groups.into_iter().flat_map(named);
    // The recommended ones first, in the order in which they are documented.
    let order = [
        "CertRenewalFailingAndExpiring",
        "KEKClusterNotReady",
        "JobDeadLetterRising",
        "LicenseExpiringSoon",
    ];
    let mut all: Vec<Definition> = all.collect();
    all.sort_by_key(|alert| {
        order
            .iter()
            .position(|name| *name == alert.name)
            .unwrap_or(order.len())
    });
    all
}
