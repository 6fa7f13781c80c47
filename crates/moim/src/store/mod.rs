//! The store: an SQLite database in the data folder (`docs/decisions/store.md`).
//!
//! Invariants:
//!
//! - Nothing waits for the store. Writes go one way, through a bounded queue to the one thread that
//!   writes; what does not fit is dropped, counted and logged. Answers come from memory, which is
//!   filled at the start by [`Store::load`].
//! - Writes are applied in their order, each whole or not at all.
//! - Migrations go forward only, after a copy of the database.
//!
//! Each group of tables has a file here, with its writes and its queries.

pub(crate) mod api_keys;
pub(crate) mod audit;
pub(crate) mod calls;
mod copy;
mod counts;
pub(crate) mod ids;
#[cfg_attr(not(test), allow(dead_code, reason = "its users follow"))]
pub(crate) mod invitations;
pub(crate) mod meta;
mod open;
pub(crate) mod outbox;
mod queue;
mod retention;
pub(crate) mod rooms;
mod schema;
pub(crate) mod sql;
#[cfg_attr(not(test), allow(dead_code, reason = "its users follow"))]
pub(crate) mod templates;
#[cfg(test)]
mod tests;
pub(crate) mod visitor_reports;
pub(crate) mod webhooks;
mod write;
mod writer;

use std::{sync::Arc, time::Duration};

use anyhow::Context;

pub(crate) use self::{
    copy::copy_database, counts::StoreCounts, open::open_to_read, retention::Retention,
    write::Importance,
};
use self::{
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
    data: DataFolder,
}

impl Store {
    /// Opens the database, migrates it, and starts its thread.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn open(data: &DataFolder, retention: Retention) -> anyhow::Result<Self> {
        let database = open::open_to_write(data)?;
        let queue = Arc::new(Queue::new());
        Writer::start(Box::new(database), Arc::clone(&queue), retention)?;
        Ok(Self(Some(Arc::new(Opened { queue, data: data.clone() }))))
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
        self.0.as_ref().is_some_and(|store| store.queue.push(importance, Box::new(write)))
    }

    /// Runs queries on a connection of their own; `None` without a store. Blocks: for the start of
    /// the server, and for threads that may wait.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn load<T>(
        &self,
        queries: impl FnOnce(&mut dyn Database) -> SqlResult<T>,
    ) -> anyhow::Result<Option<T>> {
        let Some(store) = &self.0 else { return Ok(None) };
        let Some(mut database) = open_to_read(store.data.path())? else { return Ok(None) };
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

    /// Waits until all that was queued before is written. Blocks: not for tasks.
    pub(crate) fn flush(&self, patience: Duration) {
        if let Some(store) = &self.0 {
            store.queue.flush(patience);
        }
    }

    /// The counts, if there is a store.
    pub(crate) fn counts(&self) -> StoreCounts {
        self.0.as_ref().map(|store| store.queue.counts()).unwrap_or_default()
    }
}
