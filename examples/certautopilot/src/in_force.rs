//! The saved syslog settings that are in force in this process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use cap_telemetry::Telemetry;
use cap_telemetry::settings::Form;

use crate::store::{self, Store, settings};

/// What was saved last, as far as this process knows.
#[derive(Debug, Default)]
pub(crate) struct InForce(Mutex<Option<Form>>);

impl InForce {
    pub(crate) fn set(&self, form: Form) {
        *self.lock() = Some(form);
    }

    /// Restores what was saved before the last restart, or by another replica since. Settings that
    /// cannot work are logged and leave the old ones in force.
    pub(crate) async fn follow(
        &self,
        store: &Store,
        telemetry: &Telemetry,
    ) -> Result<(), store::Error> {
        let saved = store.read("settings", |db| settings::get::<Form>(db, settings::SYSLOG));
        let Some(form) = saved
            .await?
            .filter(|saved| self.lock().as_ref() != Some(saved))
        else {
            return Ok(());
        };
        self.set(form.clone());
        let telemetry = telemetry.clone();
        let restored = tokio::task::spawn_blocking(move || form.restore(&telemetry)).await;
        if let Ok(Err(error)) = restored {
            tracing::error!(%error, "the saved syslog settings are not in force");
        }
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Option<Form>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
