//! Settings → Syslog: who may change them here, and how they survive a restart and reach the other replicas.

use std::sync::{Arc, Mutex, PoisonError};

use axum::http::request::Parts;
use cap_telemetry::Telemetry;
use cap_telemetry::names::Actor;
use cap_telemetry::settings::{
    AccessError, Action, AuditRecord, Form, PersistError, SettingsBackend,
};

use crate::accounts;
use crate::app::App;
use crate::routes::caller;
use crate::store::audit::{Entry, EventType};
use crate::store::{self, Store, settings};

/// The page's view of this service.
#[derive(Debug)]
pub(crate) struct SettingsHost(pub(crate) Arc<App>);

impl SettingsBackend for SettingsHost {
    async fn authorize(&self, request: &Parts) -> Result<Actor, AccessError> {
        let actor = caller::of_page(&request.headers, &self.0.sessions);
        let actor = actor.map_err(|_| AccessError::Unauthenticated)?;
        if accounts::is_admin(&actor) {
            Ok(actor)
        } else {
            Err(AccessError::Forbidden)
        }
    }

    /// The settings and their audit row are one change.
    async fn persist(&self, record: &AuditRecord) -> Result<(), PersistError> {
        let event_type = match &record.action {
            Action::Saved(_) => EventType::SettingsChanged,
            _ => EventType::SettingsTested,
        };
        let entry = Entry::new(event_type, record.actor.clone(), record.summary())
            .resource("settings:syslog")
            .severity(record.severity());
        let kept = match &record.action {
            Action::Saved(form) => Some(serde_json::to_string(form)?),
            _ => None,
        };
        let stored = kept.clone();
        let write = move |work: &mut store::Work<'_>| {
            if let Some(form) = &stored {
                settings::keep(work, form)?;
            }
            work.record(entry)
        };
        self.0.store.write("update", "settings", write).await?;
        if kept.is_some() {
            self.0.in_force.set(kept);
        }
        Ok(())
    }
}

/// The kept settings that are in force in this process, as they are stored.
#[derive(Debug, Default)]
pub(crate) struct InForce(Mutex<Option<String>>);

impl InForce {
    fn set(&self, form: Option<String>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = form;
    }

    /// Takes over what was kept, here before the last restart or by another replica since. What cannot work is not worth a
    /// failed start: the settings of the file stay in force, and the log says why.
    pub(crate) async fn follow(
        &self,
        store: &Store,
        telemetry: &Telemetry,
    ) -> Result<(), store::Error> {
        let kept = store.read("settings", settings::kept).await?;
        let known = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(form) = kept.clone().filter(|_| kept != known) else {
            return Ok(());
        };
        self.set(kept);
        let telemetry = telemetry.clone();
        let restored = tokio::task::spawn_blocking(move || {
            let form: Form = serde_json::from_str(&form).map_err(|error| error.to_string())?;
            form.restore(&telemetry).map_err(|error| error.to_string())
        });
        if let Ok(Err(error)) = restored.await {
            ::tracing::error!(%error, "the kept syslog settings are not in force");
        }
        Ok(())
    }
}
