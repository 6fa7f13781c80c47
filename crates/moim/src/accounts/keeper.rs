//! Administrators on disk: in the store, or without one in a file of the data folder.

use std::time::Duration;

use anyhow::{Context, bail, ensure};
use tokio::task::spawn_blocking;

use super::administrator::Administrator;
use crate::{
    data::DataFolder,
    store::{Importance, Store, meta},
};

/// The file's name in the data folder.
const FILE: &str = "administrators.json";
/// The name of the text in the store.
const NAME: &str = "administrators";

/// Time for a change to reach the database.
const WRITE_TIMEOUT: Duration = Duration::from_secs(5);

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

    /// Keeps all administrators.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(super) fn keep<'a>(
        &self,
        all: impl Iterator<Item = &'a Administrator>,
    ) -> anyhow::Result<()> {
        let text = serde_json::to_string(&all.collect::<Vec<_>>())?;
        if !self.store.is_open() {
            return self.data.write(FILE, &text);
        }
        let write =
            move |database: &mut dyn crate::store::sql::Database| meta::set(database, NAME, &text);
        if !self.store.write(Importance::Record, write) {
            bail!("The store is busy: try again");
        }
        Ok(())
    }

    /// Waits until what was given to [`Self::keep`] is on disk, and makes sure of it: neither a
    /// removed administrator nor an old password may come back after a crash.
    ///
    /// # Errors
    /// It may not be there. A sentence for the operator.
    pub(super) async fn confirm(
        &self,
        is_there: impl FnOnce(&[Administrator]) -> bool + Send + 'static,
    ) -> anyhow::Result<()> {
        let keeper = self.clone();
        let confirm = move || {
            keeper.store.flush(WRITE_TIMEOUT);
            ensure!(is_there(&keeper.load()?), "the store has not written the change");
            Ok(())
        };
        spawn_blocking(confirm).await?
    }
}
