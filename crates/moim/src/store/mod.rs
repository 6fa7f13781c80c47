//! The store: an SQLite database in the data folder, or a PostgreSQL database
//! (`docs/decisions/store.md`).
//!
//! Invariants:
//!
//! - Nothing that serves calls waits for the store. Writes go one way, through a bounded queue to the
//!   one thread that writes; what does not fit is dropped, counted and logged. Answers come from
//!   memory, which is filled at the start by [`Store::load`]. Only the answer to a decision that a
//!   crash must not undo waits, for a time, by [`Store::write_durably`].
//! - Writes are applied in their order, each whole or not at all.
//! - Migrations go forward only, after a copy of the database.
//!
//! Each group of tables has a file here, with its writes and its queries.

pub(crate) mod administrator_sessions;
pub(crate) mod api_keys;
mod apply;
pub(crate) mod audit;
pub(crate) mod calls;
mod copy;
mod counts;
mod durable;
pub(crate) mod ids;
pub(crate) mod meta;
mod open;
pub(crate) mod outbox;
pub(crate) mod person_sessions;
mod postgres;
mod queue;
mod retention;
pub(crate) mod rooms;
mod schema;
pub(crate) mod sql;
#[cfg(test)]
pub(crate) mod tests;
pub(crate) mod visitor_reports;
pub(crate) mod webhooks;
mod write;
mod writer;

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use tokio::sync::oneshot;

pub(crate) use self::{
    copy::copy_database,
    counts::StoreCounts,
    durable::{Durable, NotWritten},
    open::open_to_read,
    postgres::{PostgresServer, connect_to_read},
    retention::Retention,
    write::Importance,
};
use self::{
    postgres::{DatabaseLock, Reader},
    queue::Queue,
    sql::{Database, SqlResult},
    writer::Writer,
};
use crate::data::DataFolder;

/// A handle to the store. Clones refer to the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store(Option<Arc<Opened>>);

#[derive(Debug)]
struct Opened {
    queue: Arc<Queue>,
    source: Source,
}

/// Source of reads.
#[derive(Debug)]
enum Source {
    /// In the data folder, on a connection for each.
    Sqlite(DataFolder),
    Postgres(Reader),
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Store {
    /// Opens the SQLite database of a data folder, migrates it, and starts its thread.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn open(data: &DataFolder, retention: Retention) -> anyhow::Result<Self> {
        let database = open::open_to_write(data)?;
        let folder = data.clone();
        let connect = move || Ok(Box::new(open::open_to_write(&folder)?) as _);
        let queue = Arc::new(Queue::new());
        Writer::start(Box::new(database), Box::new(connect), &queue, retention)?;
        Ok(Self(Some(Arc::new(Opened { queue, source: Source::Sqlite(data.clone()) }))))
    }

    /// Connects to a PostgreSQL database, migrates it, and starts its threads.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn connect(server: &PostgresServer, retention: Retention) -> anyhow::Result<Self> {
        let lock = DatabaseLock::new(server.clone());
        let opening = || {
            let mut database = lock.connect_patiently()?;
            postgres::migrate(&mut database, server)?;
            anyhow::Ok(database)
        };
        let database = on_a_thread(opening)?;
        let connect = move || Ok(Box::new(lock.connect()?) as _);
        let queue = Arc::new(Queue::new());
        Writer::start(Box::new(database), Box::new(connect), &queue, retention)?;
        let reader = Reader::start(server.clone())?;
        Ok(Self(Some(Arc::new(Opened { queue, source: Source::Postgres(reader) }))))
    }

    /// A server without a store.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// True if there is a store.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Queues a write. Never waits. Returns false if it is dropped, for want of a store or of a
    /// place in the queue. The write may be applied twice, where a connection breaks meanwhile.
    pub(crate) fn write(
        &self,
        importance: Importance,
        write: impl Fn(&mut dyn Database) -> SqlResult<()> + Send + 'static,
    ) -> bool {
        self.0.as_ref().is_some_and(|store| store.queue.push(importance, Box::new(write), None))
    }

    /// [`Self::write`] for what must not be lost. Once it is written, `done` is called with true; if
    /// the database refuses it, with false. It is called on the writer's thread, so it must be
    /// brief, and not at all where false is returned here.
    pub(crate) fn write_and_tell(
        &self,
        importance: Importance,
        write: impl Fn(&mut dyn Database) -> SqlResult<()> + Send + 'static,
        done: impl FnOnce(bool) + Send + 'static,
    ) -> bool {
        let Some(store) = &self.0 else { return false };
        store.queue.push(importance, Box::new(write), Some(Box::new(done)))
    }

    /// Queues a write that a crash must not undo once it is answered. Never waits itself, so that
    /// callers may hold a lock that orders writes; [`Durable::wait`] does. Without a store there is
    /// nothing to wait for.
    pub(crate) fn write_durably(
        &self,
        write: impl Fn(&mut dyn Database) -> SqlResult<()> + Send + 'static,
    ) -> Durable {
        if !self.is_open() {
            return Durable::written();
        }
        let (done, written) = oneshot::channel();
        let done = move |is_written| {
            // Nobody may wait any more.
            let _ = done.send(is_written);
        };
        if self.write_and_tell(Importance::Record, write, done) {
            Durable::queued(written)
        } else {
            Durable::full()
        }
    }

    /// Runs queries on a connection of their own; `None` without a store. Blocks: for the start of
    /// the server, and for threads that may wait.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn load<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut dyn Database) -> SqlResult<T> + Send + 'static,
    ) -> anyhow::Result<Option<T>> {
        let Some(store) = &self.0 else { return Ok(None) };
        let data = match &store.source {
            Source::Sqlite(data) => data,
            Source::Postgres(reader) => return reader.read(queries).map(Some),
        };
        let Some(mut database) = open_to_read(data.path())? else { return Ok(None) };
        queries(&mut database).map(Some).context("Can't read the store")
    }

    /// [`Self::load`] for tasks, on a thread that may wait.
    ///
    /// # Errors
    /// Those of [`Self::load`].
    pub(crate) async fn read<T: Send + 'static>(
        &self,
        queries: impl FnOnce(&mut dyn Database) -> SqlResult<T> + Send + 'static,
    ) -> anyhow::Result<Option<T>> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || store.load(queries)).await?
    }

    /// Waits until all that was queued before is written. Returns whether it is. Blocks: not for
    /// tasks.
    pub(crate) fn flush(&self, patience: Duration) -> bool {
        self.0.as_ref().is_none_or(|store| store.queue.flush(patience))
    }

    /// Checks that the database can be read and written now, as the start of a server requires it.
    ///
    /// # Errors
    /// Why not, for the operator.
    pub(crate) async fn check(&self, patience: Duration) -> anyhow::Result<()> {
        self.read(|database| meta::find(database, "")).await?;
        // Flushing an empty queue would write nothing.
        self.write(Importance::Record, |database| meta::set(database, "checked", "1"));
        let store = self.clone();
        let is_written = tokio::task::spawn_blocking(move || store.flush(patience)).await?;
        anyhow::ensure!(
            is_written,
            "The store can't be written: the server's log says why, try again once it can"
        );
        Ok(())
    }

    /// The counts, if there is a store.
    pub(crate) fn counts(&self) -> StoreCounts {
        self.0.as_ref().map(|store| store.queue.counts()).unwrap_or_default()
    }
}

/// Runs what may not run within a task, such as a connection's own runtime, wherever the caller is.
fn on_a_thread<T: Send>(run: impl FnOnce() -> anyhow::Result<T> + Send) -> anyhow::Result<T> {
    std::thread::scope(|scope| {
        let thread = scope.spawn(run);
        thread
            .join()
            .unwrap_or_else(|_| anyhow::bail!("The store can't be opened: please report it"))
    })
}
