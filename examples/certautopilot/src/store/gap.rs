//! The audit log as the source of the events that a relay missed.

use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use cap_telemetry::syslog::{Backfill, BackfillError, Event};

use super::{Store, audit};
use crate::sync::lock;

/// Fills the gaps that an outage left. The pipelines start before the database is open, so the
/// log is empty at first; clones are the same log.
#[derive(Clone, Default)]
pub struct AuditLog(Arc<OnceLock<(Store, String)>>);

impl AuditLog {
    /// From now on the log is in this store. Only the first call counts.
    pub(crate) fn open(&self, store: &Store, org_id: &str) {
        let _ = self.0.set((store.clone(), org_id.to_owned()));
    }
}

impl Backfill for AuditLog {
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError> {
        let (store, org_id) = self.0.get().ok_or("the database is not open yet")?;
        let connection = lock(&store.0.connection);
        let entries = audit::between(&connection.0, &store.0.host, from, to, limit)?;
        drop(connection);
        let Some(entries) = entries else {
            return Err("an end of the gap is not in the audit log".into());
        };
        Ok(entries.iter().map(|entry| entry.event(org_id)).collect())
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditLog")
    }
}
