//! Keys in the store.

use super::{caller::Access, key::Key};
use crate::store::{
    Importance, NotWritten, Store,
    api_keys::{self, StoredApiKey},
};

/// Keeps keys over restarts, if there is a store.
#[derive(Debug, Clone)]
pub(crate) struct KeyKeeper(Store);

impl KeyKeeper {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// Keeps nothing.
    #[cfg(test)]
    pub(crate) fn none() -> Self {
        Self(Store::none())
    }

    /// The keys that are kept.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(super) fn load(&self) -> anyhow::Result<Vec<Key>> {
        let stored = self.0.load(api_keys::all)?.unwrap_or_default();
        let kept = stored.into_iter().filter(|key| key.revoked.is_none());
        Ok(kept.filter_map(read).collect())
    }

    pub(super) fn keep(&self, key: &Key) {
        let stored = StoredApiKey {
            id: key.id.clone(),
            name: key.name.clone(),
            hash: key.hash.clone(),
            grants: serde_json::to_string(&key.access).unwrap_or_default(),
            created: key.created,
            expires: key.expires,
            used: None,
            revoked: None,
        };
        self.0.write(Importance::Record, move |database| api_keys::set(database, &stored));
    }

    pub(super) fn note_used(&self, id: &str, at: i64) {
        let id = id.to_owned();
        self.0.write(Importance::Sample, move |database| api_keys::set_used(database, &id, at));
    }

    /// Deletes a key. Returns once the database does not have it any more: a removed key must not
    /// come back after a crash.
    ///
    /// # Errors
    /// It may still be there.
    pub(super) async fn forget(&self, id: &str) -> Result<(), NotWritten> {
        let id = id.to_owned();
        self.0.write_durably(move |database| api_keys::remove(database, &id)).wait().await
    }
}

/// A key of a later version, with other grants, is left out.
fn read(key: StoredApiKey) -> Option<Key> {
    let access: Access = serde_json::from_str(&key.grants).ok()?;
    let StoredApiKey { id, name, hash, created, expires, used, .. } = key;
    Some(Key { id, name, access, hash, created, expires, used })
}
