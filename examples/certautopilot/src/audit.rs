//! The audit vocabulary, and one entry of the audit log.

use cap_telemetry::names::{Actor, Severity, closed_enum};
use cap_telemetry::syslog::Event;
use chrono::{DateTime, SubsecRound as _, Utc};

use crate::ids;

closed_enum! {
    #[allow(missing_docs)] // each is its own word
    pub(crate) enum EventType: "event type" {
        Login = "auth.login",
        LoginFailed = "auth.login_failed",
        CertRequested = "cert.requested",
        CertIssued = "cert.issued",
        CertRenewed = "cert.renewed",
        CertRenewalFailed = "cert.renewal_failed",
        CertRevoked = "cert.revoked",
        RoleChanged = "member.role_changed",
        RotationStarted = "kek.rotation_started",
        RotationCompleted = "kek.rotation_completed",
        WebhookReceived = "webhook.received",
        JobDeadLettered = "job.dead_lettered",
        JobRequeued = "job.requeued",
        LicenseInstalled = "license.installed",
        SettingsChanged = "settings.syslog_changed",
        SettingsTested = "settings.syslog_tested",
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its id, the same in every copy.
    pub(crate) id: String,
    /// When it happened, to the millisecond.
    pub(crate) time: DateTime<Utc>,
    pub(crate) event_type: EventType,
    pub(crate) actor: Actor,
    /// What it is about, as `kind:id`.
    pub(crate) resource: Option<String>,
    pub(crate) project: Option<String>,
    pub(crate) severity: Severity,
    /// A sentence for people.
    pub(crate) summary: String,
    /// Everything else.
    pub(crate) params: Vec<(String, String)>,
}

impl Entry {
    /// An entry of severity info that happened now.
    pub(crate) fn new(event_type: EventType, actor: Actor, summary: impl Into<String>) -> Self {
        Self {
            id: ids::new("evt"),
            time: Utc::now().trunc_subsecs(3),
            event_type,
            actor,
            resource: None,
            project: None,
            severity: Severity::Info,
            summary: summary.into(),
            params: Vec::new(),
        }
    }

    pub(crate) fn resource(mut self, kind: &str, id: &str) -> Self {
        self.resource = Some(format!("{kind}:{id}"));
        self
    }

    pub(crate) fn project<'a>(mut self, id: impl Into<Option<&'a str>>) -> Self {
        self.project = id.into().map(str::to_owned);
        self
    }

    pub(crate) fn severity(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    pub(crate) fn param(mut self, name: &str, value: impl ToString) -> Self {
        self.params.push((name.to_owned(), value.to_string()));
        self
    }

    /// The event that is forwarded to the relay, under the same id.
    pub(crate) fn event(&self, org_id: &str) -> Event {
        let event_type = self.event_type.as_str();
        let mut event = Event::new(&self.id, event_type, self.actor.clone(), &self.summary)
            .org(org_id)
            .severity(self.severity)
            .time(self.time);
        if let Some(project) = &self.project {
            event = event.project(project);
        }
        if let Some(resource) = &self.resource {
            event = event.resource(resource);
        }
        let params = self.params.iter();
        params.fold(event, |event, (name, value)| event.param(name, value))
    }
}
