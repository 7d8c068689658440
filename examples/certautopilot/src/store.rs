//! The embedded database: one connection, and one transaction per change and its audit entries.
//! Replicas on one host share its file.

use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, Mutex};

use cap_telemetry::trace::{self, Tracer};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Transaction, TransactionBehavior};

pub(crate) mod audit;
pub(crate) mod certificates;
pub(crate) mod hosts;
mod inventory;
pub(crate) mod jobs;
pub(crate) mod kek;
pub(crate) mod settings;
mod sql;

pub use audit::AuditLog;
pub(crate) use inventory::Inventory;
pub(crate) use sql::Error;

use crate::audit::Entry;
use crate::job::JobKind;
use crate::sync::lock;
use inventory::Change;

/// The database. Clones share one connection.
///
/// SQLite blocks, so every use runs on tokio's blocking threads. It has one writer, so one
/// connection behind a mutex loses nothing. `connection` is locked before `inventory`.
#[derive(Clone)]
pub(crate) struct Store(Arc<Inner>);

struct Inner {
    /// The connection, and SQLite's data version when the inventory was last loaded.
    connection: Mutex<(Connection, i64)>,
    inventory: Mutex<Inventory>,
    tracer: Tracer,
    host: String,
    on_commit: Box<dyn Fn(&Commit) + Send + Sync>,
}

impl Store {
    /// Opens the database, and makes its tables where they are missing. `host` names this process
    /// in the audit entries that it writes. Uses within a request or a job are spans of `tracer`.
    ///
    /// `on_commit` is called after every commit, in the span of its caller and in the order of the
    /// commits; it must not use the store.
    pub(crate) fn open(
        database: &Path,
        host: &str,
        tracer: Tracer,
        on_commit: impl Fn(&Commit) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let named = |error| Error::Open(database.display().to_string(), error);
        let connection = connect(database).map_err(named)?;
        let (version, inventory) = (data_version(&connection)?, Inventory::load(&connection)?);
        Ok(Self(Arc::new(Inner {
            connection: Mutex::new((connection, version)),
            inventory: Mutex::new(inventory),
            tracer,
            host: host.to_owned(),
            on_commit: Box::new(on_commit),
        })))
    }

    /// Changes something: everything that `change` does is committed together, or nothing of it
    /// when it fails.
    pub(crate) async fn write<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        operation: &str,
        table: &str,
        change: impl FnOnce(&mut Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let write = move |inner: &Inner| {
            let mut connection = lock(&inner.connection);
            let begin = TransactionBehavior::Immediate;
            let transaction = connection.0.transaction_with_behavior(begin).map_err(Error::from)?;
            let mut work = Work { transaction, host: &inner.host, commit: Commit::default() };
            let value = change(&mut work)?;
            let Work { transaction, mut commit, .. } = work;
            transaction.commit().map_err(Error::from)?;
            // Under the connection's lock, so that both see changes in the order of the commits.
            let mut inventory = lock(&inner.inventory);
            commit.changes.drain(..).for_each(|change| change(&mut inventory));
            drop(inventory);
            (inner.on_commit)(&commit);
            Ok(value)
        };
        self.blocking(operation, table, write).await
    }

    /// Reads something.
    pub(crate) async fn read<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        table: &str,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let ask = move |inner: &Inner| question(&lock(&inner.connection).0);
        self.blocking("select", table, ask).await
    }

    /// Loads the inventory again if another replica has changed the database since the last time,
    /// and says whether it had.
    pub(crate) async fn refresh(&self) -> Result<bool, Error> {
        let refresh = |inner: &Inner| {
            let mut connection = lock(&inner.connection);
            let version = data_version(&connection.0)?;
            let changed = connection.1 != version;
            if changed {
                *lock(&inner.inventory) = Inventory::load(&connection.0)?;
                connection.1 = version;
            }
            Ok(changed)
        };
        self.blocking("select", "certificates", refresh).await
    }

    /// The certificates and the queue as the last commit left them. Does not wait for the
    /// database.
    pub(crate) fn inventory<T>(&self, look: impl FnOnce(&Inventory) -> T) -> T {
        look(&lock(&self.0.inventory))
    }

    async fn blocking<T: Send + 'static, E: From<Error> + Send + 'static>(
        &self,
        operation: &str,
        table: &str,
        body: impl FnOnce(&Inner) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E> {
        let inner = self.0.clone();
        // Workers poll; only what is part of a request or a job is a span.
        let _span = trace::current_span_ids().map(|_| self.0.tracer.db(operation, table));
        let current = trace::current_span();
        let body = tokio::task::spawn_blocking(move || current.in_scope(|| body(&inner)));
        body.await.map_err(|_| Error::Interrupted)?
    }
}

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
    changes: Vec<Change>,
}

impl Work<'_> {
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
    fn queued(&mut self, kind: JobKind) {
        self.commit.queued.push(kind);
        self.waiting(kind, 1);
    }

    /// So many jobs more wait, or fewer.
    fn waiting(&mut self, kind: JobKind, jobs: i64) {
        self.changed(move |inventory| {
            let waiting = inventory.waiting.entry(kind).or_default();
            *waiting = waiting.saturating_add_signed(jobs);
        });
    }

    fn changed(&mut self, change: impl FnOnce(&mut Inventory) + Send + 'static) {
        self.commit.changes.push(Box::new(change));
    }
}

impl Deref for Work<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        &self.transaction
    }
}

fn connect(database: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(database)?;
    // Otherwise every request's statements are planned anew, since their parameters change.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // The audit log is the primary record: its events are forwarded once they survive a power cut.
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.execute_batch(include_str!("store/schema.sql"))?;
    Ok(connection)
}

/// A number that changes whenever another connection commits.
fn data_version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("PRAGMA data_version", [], |row| row.get(0))
}

#[cfg(test)]
mod tests;
