//! The audit log as the source of what a relay missed.

use std::fmt;
use std::ops::Bound;
use std::sync::{Arc, OnceLock};

use cap_telemetry::syslog::{Backfill, BackfillError, Event};

use super::{Store, audit, lock};
use crate::forward;

/// Fills the gaps that an outage left from the audit log. The pipes start before the database is open, so it is empty at first; clones
/// are the same log.
#[derive(Clone, Default)]
pub struct AuditLog(Arc<OnceLock<Opened>>);

struct Opened {
    store: Store,
    host: String,
    org_id: String,
}

impl AuditLog {
    /// The log is in this store from now on. Only the first one counts.
    pub(crate) fn open(&self, store: &Store, host: &str, org_id: &str) {
        let _ = self.0.set(Opened {
            store: store.clone(),
            host: host.to_owned(),
            org_id: org_id.to_owned(),
        });
    }
}

impl Backfill for AuditLog {
    fn events(
        &self,
        from: Bound<&str>,
        to: &str,
        limit: usize,
    ) -> Result<Vec<Event>, BackfillError> {
        let log = self.0.get().ok_or("the database is not open yet")?;
        let connection = lock(&log.store.inner.connection);
        let entries = audit::between(&connection, &log.host, from, to, limit)?;
        drop(connection);
        let entries = entries.ok_or("an end of the gap is not in the audit log")?;
        let events = entries
            .iter()
            .map(|entry| forward::event(entry, &log.org_id));
        Ok(events.collect())
    }
}

impl fmt::Debug for AuditLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AuditLog")
    }
}
