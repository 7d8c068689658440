//! What the host application has to say and to keep.

use std::error::Error;
use std::future::Future;

use cap_names::{Actor, Severity};
use cap_syslog::{Event, ProbeVerdict};
use http::request::Parts;

use super::form::Form;

/// The application that the settings are part of.
pub trait SettingsBackend: Send + Sync + 'static {
    /// The administrator of the organisation who sent a request.
    ///
    /// # Errors
    ///
    /// When it is nobody's, or somebody's who is no administrator. Nothing of the request is looked at then.
    fn authorize(&self, request: &Parts)
    -> impl Future<Output = Result<Actor, AccessError>> + Send;

    /// Keeps what an administrator did: the audit record, and for [`Action::Saved`] also the settings, so that they hold after a
    /// restart ([`Form::restore`]). It is called before settings take effect, and after a Test.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from doing so. Settings that are not kept do not take effect, and the administrator is told to try again.
    fn persist(
        &self,
        record: &AuditRecord,
    ) -> impl Future<Output = Result<(), PersistError>> + Send;
}

/// Why an act is not kept. Nobody but the log gets to see it.
pub type PersistError = Box<dyn Error + Send + Sync>;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessError {
    /// Nobody knows whose request it is: 401.
    Unauthenticated,
    /// It is no administrator's: 403.
    Forbidden,
}

/// What an administrator did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct AuditRecord {
    /// Who.
    pub actor: Actor,
    /// What.
    pub action: Action,
}

/// What can be done here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Action {
    /// Settings were saved.
    Saved(Form),
    /// A Test was run, to this relay.
    Tested {
        /// As configured, `host:port`.
        relay: String,
        /// What it came to.
        verdict: ProbeVerdict,
    },
}

impl AuditRecord {
    /// `settings.syslog_changed` or `settings.syslog_tested`.
    pub fn event_type(&self) -> &'static str {
        match self.action {
            Action::Saved(_) => "settings.syslog_changed",
            Action::Tested { .. } => "settings.syslog_tested",
        }
    }

    /// A change of where the audit trail goes is a warning.
    pub fn severity(&self) -> Severity {
        match self.action {
            Action::Saved(_) => Severity::Warn,
            Action::Tested { .. } => Severity::Info,
        }
    }

    /// In a sentence.
    pub fn summary(&self) -> String {
        match &self.action {
            Action::Saved(form) if form.is_enabled() => {
                format!(
                    "Syslog forwarding set to {} over {}",
                    form.relay(),
                    form.transport()
                )
            }
            Action::Saved(_) => "Syslog forwarding switched off".to_owned(),
            Action::Tested { relay, verdict } => format!("Syslog relay {relay} tested: {verdict}"),
        }
    }

    /// As an event with this id, for a host whose primary record is made of events.
    pub fn event(&self, id: impl AsRef<str>) -> Event {
        Event::new(id, self.event_type(), self.actor.clone(), self.summary())
            .severity(self.severity())
            .resource("settings:syslog")
    }
}
