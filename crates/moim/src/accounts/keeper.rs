//! Administrators on disk: in the store, or without one in a file of the data folder.

use anyhow::{Context, ensure};

use super::administrator::Administrator;
use crate::{
    data::DataFolder,
    store::{Durable, Store, administrator_sessions, meta, sql::Database},
};

/// The file's name in the data folder.
const FILE: &str = "administrators.json";
/// The name of the text in the store.
const NAME: &str = "administrators";

/// Keeps administrators over restarts.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    store: Store,
    data: DataFolder,
}

impl Keeper {
    pub(crate) fn new(store: Store, data: DataFolder) -> Self {
        Self { store, data }
    }

    /// The administrators that are kept. Those of the file count until the store has some.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(super) fn load(&self) -> anyhow::Result<Vec<Administrator>> {
        let stored = self.store.load(|database| meta::find(database, NAME))?.flatten();
        let text = match stored {
            Some(text) => Some(text),
            None => self.data.read(FILE)?,
        };
        let Some(text) = text else { return Ok(Vec::new()) };
        serde_json::from_str(&text).with_context(|| {
            format!(
                "The administrators in {} can't be read: restore a backup, or remove {FILE} to make \
                 new ones",
                self.data.path().display()
            )
        })
    }

    /// Keeps all administrators, and ends the sessions of one. Neither a removed administrator nor an
    /// old password or its sessions may come back after a crash: [`Durable::wait`] for it.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(super) fn keep<'a>(
        &self,
        all: impl Iterator<Item = &'a Administrator>,
        ended: &str,
    ) -> anyhow::Result<Durable> {
        let text = serde_json::to_string(&all.collect::<Vec<_>>())?;
        if !self.store.is_open() {
            self.data.write(FILE, &text)?;
            return Ok(Durable::written());
        }
        let ended = ended.to_owned();
        let write = self.store.write_durably(move |database: &mut dyn Database| {
            meta::set(database, NAME, &text)?;
            administrator_sessions::remove_of(database, &ended)
        });
        ensure!(write.is_queued(), "The store is busy: try again");
        Ok(write)
    }

    /// The store, for sessions.
    pub(super) fn store(&self) -> Store {
        self.store.clone()
    }
}
