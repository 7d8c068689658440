//! One transaction, and what has to be told once it is committed.

use std::ops::Deref;

use cap_telemetry::trace;
use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::inventory::Change;
use super::{Error, audit};
use crate::task::JobKind;

/// A transaction under way. Dropped, it is rolled back.
#[derive(Debug)]
pub struct Work<'c> {
    transaction: Transaction<'c>,
    host: &'c str,
    commit: Commit,
}

/// What a committed transaction did.
#[derive(Debug, Default)]
#[non_exhaustive]
pub struct Commit {
    /// The audit entries it recorded.
    pub recorded: Vec<audit::Entry>,
    /// The jobs it put into the queue.
    pub queued: Vec<JobKind>,
    pub(super) changes: Vec<Change>,
}

impl<'c> Work<'c> {
    pub(super) fn begin(connection: &'c mut Connection, host: &'c str) -> Result<Self, Error> {
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
        Ok(Work {
            transaction,
            host,
            commit: Commit::default(),
        })
    }

    pub(super) fn commit(self) -> Result<Commit, Error> {
        self.transaction.commit()?;
        Ok(self.commit)
    }

    /// Writes an audit entry beside the change it records, with the ids of the span in which it happens. It is forwarded when,
    /// and only when, both are committed.
    ///
    /// # Errors
    /// The database's own.
    pub fn record(&mut self, mut entry: audit::Entry) -> Result<(), Error> {
        if let Some(ids) = trace::current_span_ids() {
            entry = entry
                .param("trace_id", ids.trace_id_hex())
                .param("span_id", ids.span_id_hex());
        }
        audit::insert(&self.transaction, self.host, &entry)?;
        self.commit.recorded.push(entry);
        Ok(())
    }

    pub(super) fn queued(&mut self, kind: JobKind) {
        self.commit.queued.push(kind);
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
