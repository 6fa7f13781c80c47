//! The store: an SQLite database in the data folder (`docs/decisions/store.md`).
//!
//! Invariants:
//!
//! - Nothing waits for the store. Writes go one way, through a bounded queue to the one thread that
//!   writes; what does not fit is dropped and counted. Answers come from memory.
//! - Writes are applied in their order, each whole or not at all.
//! - Migrations go forward only, after a copy of the database.
//!
//! Each group of tables has a file here, with its writes and its queries.

pub(crate) mod calls;
mod copy;
mod counts;
mod open;
mod queue;
mod retention;
mod schema;
mod write;
mod writer;

use std::{sync::Arc, time::Duration};

use rusqlite::Connection;

pub(crate) use self::open::open_to_read;
pub(crate) use self::{
    copy::copy_database, counts::StoreCounts, retention::Retention, write::Importance,
};
use self::{queue::Queue, writer::Writer};
use crate::data::DataFolder;

/// A handle to the store. Clones refer to the same one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Store(Option<Arc<Queue>>);

impl Store {
    /// Opens the database, migrates it, and starts its thread.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn open(data: &DataFolder, retention: Retention) -> anyhow::Result<Self> {
        let connection = open::open_to_write(data)?;
        let queue = Arc::new(Queue::new());
        Writer::start(connection, Arc::clone(&queue), retention)?;
        Ok(Self(Some(queue)))
    }

    /// A server without a store.
    pub(crate) fn none() -> Self {
        Self(None)
    }

    /// True if there is a store.
    pub(crate) fn is_open(&self) -> bool {
        self.0.is_some()
    }

    /// Queues a write. Never waits.
    pub(crate) fn write(
        &self,
        importance: Importance,
        write: impl FnOnce(&Connection) -> rusqlite::Result<()> + Send + 'static,
    ) {
        if let Some(queue) = &self.0 {
            queue.push(importance, Box::new(write));
        }
    }

    /// Waits until all that was queued before is written. Blocks: not for tasks.
    pub(crate) fn flush(&self, patience: Duration) {
        if let Some(queue) = &self.0 {
            queue.flush(patience);
        }
    }

    /// The counts, if there is a store.
    pub(crate) fn counts(&self) -> StoreCounts {
        self.0.as_ref().map(|queue| queue.counts()).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RETENTION: Retention = Retention { samples_days: 7 };
    const PATIENCE: Duration = Duration::from_secs(20);

    fn folder() -> (tempfile::TempDir, DataFolder) {
        let parent = tempfile::tempdir().unwrap();
        let data = DataFolder::open(parent.path()).unwrap();
        (parent, data)
    }

    fn note(store: &Store, importance: Importance, name: &str) {
        let name = name.to_owned();
        store.write(importance, move |connection| {
            connection.execute("INSERT INTO meta (name, value) VALUES (?1, '')", [name]).map(drop)
        });
    }

    fn names(data: &DataFolder) -> Vec<String> {
        let connection = open_to_read(data.path()).unwrap().unwrap();
        let mut query = connection.prepare("SELECT name FROM meta ORDER BY rowid").unwrap();
        let rows = query.query_map([], |row| row.get(0)).unwrap();
        rows.map(Result::unwrap).collect()
    }

    #[test]
    fn writes_are_applied_in_order_and_survive() {
        let (_parent, data) = folder();
        let store = Store::open(&data, RETENTION).unwrap();
        for name in ["a", "b", "c"] {
            note(&store, Importance::Record, name);
        }
        store.flush(PATIENCE);
        assert_eq!(names(&data), ["a", "b", "c"]);
        assert_eq!(store.counts(), StoreCounts::default());
        drop(store);
        let again = Store::open(&data, RETENTION).unwrap();
        note(&again, Importance::Record, "d");
        again.flush(PATIENCE);
        assert_eq!(names(&data), ["a", "b", "c", "d"]);
    }

    #[test]
    fn failed_write_is_undone_and_counted_and_harms_no_other() {
        let (_parent, data) = folder();
        let store = Store::open(&data, RETENTION).unwrap();
        note(&store, Importance::Record, "before");
        store.write(Importance::Record, |connection| {
            connection.execute("INSERT INTO meta (name, value) VALUES ('half', '')", [])?;
            connection.execute("INSERT INTO no_such_table VALUES (1)", []).map(drop)
        });
        note(&store, Importance::Record, "after");
        store.flush(PATIENCE);
        assert_eq!(names(&data), ["before", "after"]);
        assert_eq!(store.counts().dropped_failed, 1);
    }

    #[test]
    fn panic_of_a_write_ends_neither_the_store_nor_the_server() {
        let (_parent, data) = folder();
        let store = Store::open(&data, RETENTION).unwrap();
        store.write(Importance::Record, |_| panic!("planted"));
        note(&store, Importance::Record, "after");
        store.flush(PATIENCE);
        assert_eq!(names(&data), ["after"]);
        assert_eq!(store.counts().dropped_failed, 1);
    }

    #[test]
    fn full_queue_drops_samples_before_records_and_never_blocks() {
        let (_parent, data) = folder();
        let store = Store::open(&data, RETENTION).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        store.write(Importance::Record, move |_| {
            let _ = held.recv();
            Ok(())
        });
        for n in 0..queue::CAPACITY {
            note(&store, Importance::Sample, &format!("sample {n}"));
        }
        let samples_dropped = store.counts().dropped_full;
        assert!(samples_dropped >= (queue::CAPACITY / 8) as u64, "{samples_dropped}");
        for n in 0..queue::CAPACITY {
            note(&store, Importance::Record, &format!("record {n}"));
        }
        let counts = store.counts();
        assert!(counts.dropped_full > samples_dropped && counts.depth <= queue::CAPACITY);
        drop(release);
        store.flush(PATIENCE);
        assert!(names(&data).contains(&"record 0".to_owned()), "room was left for records");
        assert_eq!(store.counts().depth, 0);
    }

    #[test]
    fn server_without_a_store_writes_nothing() {
        let store = Store::none();
        note(&store, Importance::Record, "a");
        store.flush(PATIENCE);
        assert!(!store.is_open() && store.counts() == StoreCounts::default());
    }
}
