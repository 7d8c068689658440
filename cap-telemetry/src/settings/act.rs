//! What the host application has to say and to keep.

use std::error::Error;
use std::future::Future;

use cap_names::{Actor, Severity};
use cap_syslog::{Event, ProbeVerdict};
use http::request::Parts;

use super::form::Form;

/// The application that the settings are part of.
pub trait Host: Send + Sync + 'static {
    /// The administrator of the organisation who sent a request.
    ///
    /// # Errors
    ///
    /// When it is nobody's, or somebody's who is no administrator. Nothing of the request is looked at then.
    fn admin(&self, request: &Parts) -> impl Future<Output = Result<Actor, Denied>> + Send;

    /// Keeps what an administrator did: the audit record, and for [`Deed::Saved`] also the settings, so that they hold after a
    /// restart ([`Form::restore`]). It is called before settings take effect, and after a Test.
    ///
    /// # Errors
    ///
    /// Whatever keeps it from doing so. Settings that are not kept do not take effect, and the administrator is told to try again.
    fn keep(&self, act: &Act) -> impl Future<Output = Result<(), KeepError>> + Send;
}

/// Why an act is not kept. Nobody but the log gets to see it.
pub type KeepError = Box<dyn Error + Send + Sync>;

/// Why a request is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Nobody knows whose request it is: 401.
    Unknown,
    /// It is no administrator's: 403.
    NotAdmin,
}

/// What an administrator did.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Act {
    /// Who.
    pub actor: Actor,
    /// What.
    pub deed: Deed,
}

/// What can be done here.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Deed {
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

impl Act {
    /// `settings.syslog_changed` or `settings.syslog_tested`.
    pub fn event_type(&self) -> &'static str {
        match self.deed {
            Deed::Saved(_) => "settings.syslog_changed",
            Deed::Tested { .. } => "settings.syslog_tested",
        }
    }

    /// A change of where the audit trail goes is a warning.
    pub fn severity(&self) -> Severity {
        match self.deed {
            Deed::Saved(_) => Severity::Warn,
            Deed::Tested { .. } => Severity::Info,
        }
    }

    /// In a sentence.
    pub fn summary(&self) -> String {
        match &self.deed {
            Deed::Saved(form) if form.is_enabled() => {
                format!(
                    "Syslog forwarding set to {} over {}",
                    form.relay(),
                    form.transport()
                )
            }
            Deed::Saved(_) => "Syslog forwarding switched off".to_owned(),
            Deed::Tested { relay, verdict } => format!("Syslog relay {relay} tested: {verdict}"),
        }
    }

    /// As an event with this id, for a host whose primary record is made of events.
    pub fn event(&self, id: impl AsRef<str>) -> Event {
        Event::new(id, self.event_type(), self.actor.clone(), self.summary())
            .severity(self.severity())
            .resource("settings:syslog")
    }
}
