//! The embedded database: one connection, and one transaction per change and its audit entries.
//! Replicas on one host share its file.

use std::sync::{Arc, Mutex};

use cap_telemetry::trace::{self, Tracer};
use rusqlite::Connection;
use rusqlite::config::DbConfig;

pub(crate) mod audit;
pub(crate) mod certificates;
mod gap;
pub(crate) mod hosts;
mod inventory;
pub(crate) mod jobs;
pub(crate) mod kek;
mod location;
pub(crate) mod settings;
mod sql;
mod work;

pub use gap::AuditLog;
pub(crate) use inventory::Inventory;
pub use location::Location;
pub(crate) use sql::Error;
pub(crate) use work::{Commit, Work};

use crate::sync::lock;

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
        location: &Location,
        host: &str,
        tracer: Tracer,
        on_commit: impl Fn(&Commit) + Send + Sync + 'static,
    ) -> Result<Self, Error> {
        let connect = connect(location);
        let connection = connect.map_err(|error| Error::Open(location.to_string(), error))?;
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
    pub(crate) async fn write<T, E>(
        &self,
        operation: &str,
        table: &str,
        change: impl FnOnce(&mut Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let write = move |inner: &Inner| {
            let mut connection = lock(&inner.connection);
            let mut work = Work::begin(&mut connection.0, &inner.host)?;
            let value = change(&mut work)?;
            let mut commit = work.commit()?;
            // Under the connection's lock, so that both see changes in the order of the commits.
            lock(&inner.inventory).apply(std::mem::take(&mut commit.changes));
            (inner.on_commit)(&commit);
            Ok(value)
        };
        self.blocking(operation, table, write).await
    }

    /// Reads something.
    pub(crate) async fn read<T, E>(
        &self,
        table: &str,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
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

    async fn blocking<T, E>(
        &self,
        operation: &str,
        table: &str,
        body: impl FnOnce(&Inner) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let inner = self.0.clone();
        // Workers poll; only what is part of a request or a job is a span.
        let _span = trace::current_span_ids().map(|_| self.0.tracer.db(operation, table));
        let current = trace::current_span();
        let body = tokio::task::spawn_blocking(move || current.in_scope(|| body(&inner)));
        body.await.map_err(|_| Error::Interrupted)?
    }
}

fn connect(location: &Location) -> rusqlite::Result<Connection> {
    let connection = match location {
        Location::Memory => Connection::open_in_memory(),
        Location::File(path) => Connection::open(path),
    }?;
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
