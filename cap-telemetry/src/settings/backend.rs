//! What the application supplies: who is an administrator, and where actions are persisted.

use std::error::Error;
use std::future::Future;

use cap_names::{Actor, Severity};
use cap_syslog::{Event, ProbeVerdict};
use http::request::Parts;

use super::form::Form;

/// The application that the settings are part of.
pub trait SettingsBackend: Send + Sync + 'static {
    /// Returns the administrator who sent a request.
    ///
    /// # Errors
    ///
    /// When the request has no valid session, or its user is no administrator. Its body is not read
    /// then.
    fn authorize(&self, request: &Parts)
    -> impl Future<Output = Result<Actor, AccessError>> + Send;

    /// Persists what an administrator did: the audit record and, for [`Action::Saved`], the
    /// settings.
    ///
    /// Settings are persisted before they take effect, a Test after it has run. At the next start,
    /// the application restores the settings with [`Form::restore`].
    ///
    /// # Errors
    ///
    /// When the record cannot be written. The settings then do not take effect, and the
    /// administrator is asked to try again. Only the log shows the error.
    fn persist(
        &self,
        record: &AuditRecord,
    ) -> impl Future<Output = Result<(), PersistError>> + Send;
}

/// Why a record could not be persisted.
pub type PersistError = Box<dyn Error + Send + Sync>;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The request has no valid session. The answer is 401.
    #[error("log in first")]
    Unauthenticated,
    /// The user is no administrator. The answer is 403.
    #[error("only an administrator of the organization may see and change these settings")]
    Forbidden,
}

/// One action of an administrator, for the audit log.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// The administrator.
    pub actor: Actor,
    /// What the administrator did.
    pub action: Action,
}

/// What an administrator can do with these settings.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Settings were saved.
    Saved(Form),
    /// A Test was run.
    Tested {
        /// The relay as configured, `host:port`.
        relay: String,
        /// The result.
        verdict: ProbeVerdict,
    },
}

impl AuditRecord {
    /// The type of the event: `settings.syslog_changed` or `settings.syslog_tested`.
    pub fn event_type(&self) -> &'static str {
        match self.action {
            Action::Saved(_) => "settings.syslog_changed",
            Action::Tested { .. } => "settings.syslog_tested",
        }
    }

    /// A warning for saved settings, since they decide where the audit trail goes. A Test is info.
    pub fn severity(&self) -> Severity {
        match self.action {
            Action::Saved(_) => Severity::Warn,
            Action::Tested { .. } => Severity::Info,
        }
    }

    /// The action in a sentence.
    pub fn summary(&self) -> String {
        match &self.action {
            Action::Saved(form) if form.is_enabled() => {
                format!("Syslog forwarding set to {} over {}", form.relay(), form.transport())
            }
            Action::Saved(_) => "Syslog forwarding switched off".to_owned(),
            Action::Tested { relay, verdict } => format!("Syslog relay {relay} tested: {verdict}"),
        }
    }

    /// The record as an event with this id, for an application whose audit log holds events.
    pub fn to_event(&self, id: impl AsRef<str>) -> Event {
        Event::new(id, self.event_type(), self.actor.clone(), self.summary())
            .severity(self.severity())
            .resource("settings:syslog")
    }
}
