//! The embedded database: one connection, and one transaction per change and its audit record. Replicas on one host share its file.

use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use rusqlite::Connection;
use rusqlite::config::DbConfig;

pub mod audit;
pub mod certificates;
mod error;
mod gap;
pub mod hosts;
mod inventory;
pub mod jobs;
pub mod kek;
pub mod license;
mod location;
pub mod members;
mod schema;
pub mod settings;
mod work;

pub use error::Error;
pub use gap::AuditLog;
pub use inventory::{CertificateFact, Inventory};
pub use location::Location;
pub use work::{Commit, Work};

use cap_telemetry::trace::{self, Tracer};

/// The database. Clones share one connection.
///
/// SQLite blocks, so every use runs on tokio's blocking threads; and it has one writer, so one connection behind a mutex
/// loses nothing.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    connection: Mutex<Connection>,
    inventory: Mutex<Inventory>,
    version: Mutex<i64>,
    tracing: Option<Tracer>,
    host: OnceLock<String>,
    on_commit: OnceLock<OnCommit>,
}

type OnCommit = Box<dyn Fn(&Commit) + Send + Sync>;

impl Store {
    /// Opens the database, and makes its tables where they are missing. With `tracing`, every use is a span.
    ///
    /// # Errors
    /// When the file cannot be opened or is not such a database.
    pub fn open(location: &Location, tracing: Option<Tracer>) -> Result<Self, Error> {
        let connection = match location {
            Location::Memory => Connection::open_in_memory(),
            Location::File(path) => Connection::open(path),
        };
        let at = |source| Error::open(location, source);
        let connection = connection.map_err(at)?;
        // Otherwise a statement is planned anew whenever its parameters change: for every request.
        let stable = DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG;
        connection.set_db_config(stable, true).map_err(at)?;
        schema::apply(&connection).map_err(at)?;
        let version = data_version(&connection)?;
        let inventory = Inventory::load(&connection)?;
        Ok(Store {
            inner: Arc::new(Inner {
                connection: Mutex::new(connection),
                inventory: Mutex::new(inventory),
                version: Mutex::new(version),
                tracing,
                host: OnceLock::new(),
                on_commit: OnceLock::new(),
            }),
        })
    }

    /// Names this process in the audit entries that it writes. Only the first name counts.
    pub fn set_host(&self, host: &str) {
        let _ = self.inner.host.set(host.to_owned());
    }

    /// Has `hook` called after every commit, in the span of whoever made it and in the order of the commits; it must not use the
    /// store. Only the first hook counts.
    pub fn on_commit(&self, hook: impl Fn(&Commit) + Send + Sync + 'static) {
        let _ = self.inner.on_commit.set(Box::new(hook));
    }

    /// Changes something: everything `change` does is committed together, or nothing of it when it fails.
    ///
    /// # Errors
    /// What `change` returns, or the database's own.
    pub async fn write<T, E>(
        &self,
        operation: &str,
        table: &str,
        change: impl FnOnce(&mut Work<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        self.blocking(operation, table, move |inner| {
            let mut connection = lock(&inner.connection);
            let host = inner.host.get().map_or("", String::as_str);
            let mut work = Work::begin(&mut connection, host)?;
            let value = change(&mut work)?;
            // Still under the connection's lock, so that the inventory, and whoever is told, see changes in the order they were
            // made; and whether or not the caller is still there.
            let commit = work.commit()?;
            lock(&inner.inventory).apply(&commit);
            if let Some(hook) = inner.on_commit.get() {
                hook(&commit);
            }
            Ok(value)
        })
        .await
    }

    /// Reads something.
    ///
    /// # Errors
    /// What `question` returns, or the database's own.
    pub async fn read<T, E>(
        &self,
        table: &str,
        question: impl FnOnce(&Connection) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
    {
        let ask = move |inner: &Inner| question(&lock(&inner.connection));
        self.blocking("select", table, ask).await
    }

    /// Counts anew if another replica has changed the database since the last time. Says whether it had.
    ///
    /// # Errors
    /// The database's own.
    pub async fn refresh(&self) -> Result<bool, Error> {
        let count = |inner: &Inner| {
            let connection = lock(&inner.connection);
            let version = data_version(&connection)?;
            let mut known = lock(&inner.version);
            if *known == version {
                return Ok(false);
            }
            *lock(&inner.inventory) = Inventory::load(&connection)?;
            *known = version;
            Ok(true)
        };
        self.blocking("select", "certificates", count).await
    }

    /// The certificates and the queue as the last commit left them, without asking the database.
    pub fn inventory<T>(&self, look: impl FnOnce(&Inventory) -> T) -> T {
        look(&lock(&self.inner.inventory))
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
        let inner = self.inner.clone();
        // Workers ask all the time whether there is something to do; only what is part of a request or a job is a span.
        let _span = trace::current_span_ids()
            .and(self.inner.tracing.as_ref())
            .map(|tracing| tracing.db(operation, table));
        // What happens there happens in the caller's span.
        let current = trace::current_span();
        tokio::task::spawn_blocking(move || current.in_scope(|| body(&inner)))
            .await
            .map_err(|_| Error::interrupted())?
    }
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").finish_non_exhaustive()
    }
}

/// A number that changes whenever another connection commits.
fn data_version(connection: &Connection) -> Result<i64, Error> {
    Ok(connection.query_row("PRAGMA data_version", [], |row| row.get(0))?)
}

/// A panic while the lock was held left no half-done change: the transaction was rolled back when it was dropped.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
