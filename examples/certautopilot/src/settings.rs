//! Settings → Syslog: who may change them, and how a change is stored and audited.

use std::sync::Arc;

use axum::http::request::Parts;
use cap_telemetry::names::Actor;
use cap_telemetry::settings::{AccessError, Action, AuditRecord, PersistError, SettingsBackend};

use crate::accounts;
use crate::app::App;
use crate::audit::{Entry, EventType};
use crate::store::{Work, settings};
use crate::sync::lock;

/// The page's view of this service.
pub(crate) struct Backend(pub(crate) Arc<App>);

impl SettingsBackend for Backend {
    async fn authorize(&self, request: &Parts) -> Result<Actor, AccessError> {
        let sessions = &self.0.sessions;
        let Ok(actor) = sessions.caller_of_page(&request.headers) else {
            return Err(AccessError::Unauthenticated);
        };
        if accounts::is_admin(&actor) { Ok(actor) } else { Err(AccessError::Forbidden) }
    }

    /// The settings and their audit entry are one change.
    async fn persist(&self, record: &AuditRecord) -> Result<(), PersistError> {
        let (event_type, form) = match &record.action {
            Action::Saved(form) => (EventType::SettingsChanged, Some(form.clone())),
            _ => (EventType::SettingsTested, None),
        };
        let entry = Entry::new(event_type, record.actor.clone(), record.summary())
            .resource("settings", "syslog")
            .severity(record.severity());
        let write = move |work: &mut Work<'_>| {
            if let Some(form) = &form {
                settings::put(work, settings::SYSLOG, form)?;
            }
            work.record(entry)?;
            Ok::<_, crate::store::Error>(form)
        };
        if let Some(form) = self.0.store.write("update", "settings", write).await? {
            *lock(&self.0.in_force) = Some(form);
        }
        Ok(())
    }
}
