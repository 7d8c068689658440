//! What an alert is before a deployment's choices are filled in.
//!
//! An expression is PromQL with the placeholders `$GROUP` (the grouping labels), `$THRESHOLD`,
//! `$WINDOW` and `$JOB`, which [`placeholder`](crate::placeholder) fills. Selectors need none: a
//! deployment's matchers go into every selector of a scraped series.

use std::borrow::Cow;

use cap_names::closed_enum;

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

/// The rule group of the recommended alerts.
const RECOMMENDED: &str = "certautopilot";

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
    /// In Prometheus's spelling. `None` fires at once.
    pub(crate) for_duration: Option<&'static str>,
    pub(crate) severity: Severity,
    /// A label beside the severity.
    pub(crate) label: Option<(&'static str, &'static str)>,
    pub(crate) summary: Text,
    pub(crate) description: Text,
    /// The runbook page, which several alerts can share.
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
    Lookback,
    /// Keeps a single event in sight, so it has to be longer than the alert's `for`.
    Event,
}

/// What the person on call needs to know.
#[derive(Clone, Debug, Default)]
pub(crate) struct Runbook {
    pub(crate) meaning: Text,
    pub(crate) impact: Text,
    pub(crate) diagnosis: Vec<Diagnosis>,
    pub(crate) mitigation: Text,
}

/// One thing to look at, and the query that shows it.
#[derive(Clone, Debug)]
pub(crate) struct Diagnosis {
    pub(crate) title: &'static str,
    pub(crate) query: Text,
}

impl Definition {
    /// An alert of the recommended profile.
    pub(crate) fn recommended(name: impl Into<Text>, expr: impl Into<Text>) -> Self {
        Self { profile: Profile::Recommended, ..Self::extended(RECOMMENDED, name, expr) }
    }

    /// An alert that only the extended profile has.
    pub(crate) fn extended(
        group: &'static str,
        name: impl Into<Text>,
        expr: impl Into<Text>,
    ) -> Self {
        let name = name.into();
        Self {
            page: name.clone(),
            name,
            profile: Profile::Extended,
            group,
            expr: expr.into(),
            threshold: None,
            window: None,
            for_duration: None,
            severity: Severity::Warning,
            label: None,
            summary: Text::default(),
            description: Text::default(),
            runbook: Runbook::default(),
        }
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn critical(self) -> Self {
        self.severity(Severity::Critical)
    }

    pub(crate) fn for_duration(mut self, duration: &'static str) -> Self {
        self.for_duration = Some(duration);
        self
    }

    pub(crate) fn threshold(mut self, threshold: impl Into<Text>) -> Self {
        self.threshold = Some(threshold.into());
        self
    }

    pub(crate) fn window(mut self, length: &'static str) -> Self {
        let kind = WindowKind::Lookback;
        self.window = Some(Window { length, kind });
        self
    }

    pub(crate) fn event_window(mut self, length: &'static str) -> Self {
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

    pub(crate) fn runbook<Q: Into<Text>>(
        mut self,
        meaning: impl Into<Text>,
        impact: impl Into<Text>,
        diagnosis: impl IntoIterator<Item = (&'static str, Q)>,
        mitigation: impl Into<Text>,
    ) -> Self {
        let diagnosis =
            diagnosis.into_iter().map(|(title, query)| Diagnosis { title, query: query.into() });
        self.runbook = Runbook {
            meaning: meaning.into(),
            impact: impact.into(),
            diagnosis: diagnosis.collect(),
            mitigation: mitigation.into(),
        };
        self
    }
}
