//! One transaction, and what follows from it once it is committed.

use std::ops::Deref;

use cap_telemetry::trace;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::audit;
use super::inventory::Change;
use super::sql::Error;
use crate::audit::Entry;
use crate::job::JobKind;

/// A transaction under way. Dropping it rolls it back.
pub(crate) struct Work<'c> {
    transaction: Transaction<'c>,
    host: &'c str,
    commit: Commit,
}

/// What a committed transaction did.
#[derive(Default)]
pub(crate) struct Commit {
    /// The audit entries it recorded.
    pub(crate) recorded: Vec<Entry>,
    /// The jobs it put into the queue.
    pub(crate) queued: Vec<JobKind>,
    pub(super) changes: Vec<Change>,
}

impl<'c> Work<'c> {
    pub(super) fn begin(db: &'c mut Connection, host: &'c str) -> Result<Self, Error> {
        let transaction = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        let commit = Commit::default();
        Ok(Self { transaction, host, commit })
    }

    pub(super) fn commit(self) -> Result<Commit, Error> {
        self.transaction.commit()?;
        Ok(self.commit)
    }

    /// Writes an audit entry beside the change it records, with the ids of the current span. The
    /// entry is forwarded once both are committed.
    pub(crate) fn record(&mut self, mut entry: Entry) -> Result<(), Error> {
        if let Some(ids) = trace::current_span_ids() {
            entry = entry.param("trace_id", ids.trace_id_hex());
            entry = entry.param("span_id", ids.span_id_hex());
        }
        audit::insert(&self.transaction, self.host, &entry)?;
        self.commit.recorded.push(entry);
        Ok(())
    }

    /// A job was put into the queue.
    pub(super) fn queued(&mut self, kind: JobKind) {
        self.commit.queued.push(kind);
        self.changed(Change::Waiting(kind));
    }

    pub(super) fn changed(&mut self, change: Change) {
        self.commit.changes.push(change);
    }
}

impl Deref for Work<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}
