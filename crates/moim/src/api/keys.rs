//! Keys of the API. Only hashes of their secrets are kept.

use std::collections::BTreeMap;

use aws_lc_rs::digest::{SHA256, digest};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use parking_lot::Mutex;
use rand::{RngExt, distr::Uniform};
use subtle::ConstantTimeEq;

use super::{caller::Access, keeper::KeyKeeper, key::Key, problem::Problem};
use crate::store::ids::now;

/// The beginning of a key, by which people and scanners of leaked secrets recognise it.
const PREFIX: &str = "moim_";
/// Bytes of a secret: no guess and no stolen hash leads to it, so the hash needs no salt.
const SECRET_BYTES: usize = 32;
/// Letters of a key's id.
const ID_LETTERS: usize = 8;
/// Keys that may exist.
pub(super) const MAX_KEYS: usize = 1000;
/// Milliseconds of a day.
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Maximum length of a key's name, in characters.
pub(super) const MAX_NAME_CHARS: usize = 100;

/// All keys, in memory and in the store.
#[derive(Debug)]
pub(crate) struct Keys {
    keys: Mutex<BTreeMap<String, Key>>,
    /// Keys that are refused, but may still be in the store.
    removed: Mutex<BTreeMap<String, Key>>,
    keeper: KeyKeeper,
}

impl Keys {
    /// The keys that the store has.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn load(keeper: KeyKeeper) -> anyhow::Result<Self> {
        let keys = keeper.load()?.into_iter().map(|key| (key.id.clone(), key)).collect();
        Ok(Self { keys: Mutex::new(keys), removed: Mutex::default(), keeper })
    }

    /// Creates a key; returns it with its text, which nothing can show again.
    pub(super) fn create(
        &self,
        name: &str,
        access: Access,
        expires: Option<i64>,
    ) -> Result<(Key, String), Problem> {
        let name = name.trim();
        if name.is_empty() || name.chars().count() > MAX_NAME_CHARS {
            let text = format!("name: must have 1 to {MAX_NAME_CHARS} characters");
            return Err(Problem::invalid(text));
        }
        if name.chars().any(char::is_control) {
            return Err(Problem::invalid("name: must have no control characters"));
        }
        if expires.is_some_and(|at| at <= now()) {
            return Err(Problem::invalid("expires_at: is in the past"));
        }
        let mut secret = [0; SECRET_BYTES];
        getrandom::fill(&mut secret).map_err(|_| {
            let status = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            Problem::new(status, "internal", "the system can't provide random bytes")
        })?;
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let mut keys = self.keys.lock();
        if keys.len() >= MAX_KEYS {
            return Err(Problem::invalid(format!("there are {MAX_KEYS} keys: remove some first")));
        }
        let id = loop {
            let id = random_id();
            if !keys.contains_key(&id) {
                break id;
            }
        };
        let text = format!("{PREFIX}{id}_{secret}");
        let key = Key {
            id: id.clone(),
            name: name.to_owned(),
            access,
            hash: hash(&secret),
            created: now(),
            expires,
            used: None,
        };
        keys.insert(id, key.clone());
        self.keeper.keep(&key);
        Ok((key, text))
    }

    /// The key of this text, if it is one and has not expired.
    pub(super) fn check(&self, text: &str) -> Option<Key> {
        let (id, secret) = text.strip_prefix(PREFIX)?.split_once('_')?;
        let mut keys = self.keys.lock();
        let key = keys.get_mut(id)?;
        let is_right: bool = key.hash.ct_eq(&hash(secret)).into();
        let now = now();
        if !is_right || key.expires.is_some_and(|at| at <= now) {
            return None;
        }
        let today = now.div_euclid(DAY_MS) * DAY_MS;
        if key.used != Some(today) {
            key.used = Some(today);
            self.keeper.note_used(id, today);
        }
        Some(key.clone())
    }

    /// All keys, by their ids.
    pub(super) fn list(&self) -> Vec<Key> {
        self.keys.lock().values().cloned().collect()
    }

    /// Removes a key; returns it once the store has it no more. Until then, and if that fails, it
    /// is refused, and can be removed again.
    pub(super) async fn remove(&self, id: &str) -> Result<Key, Problem> {
        if let Some(key) = self.keys.lock().remove(id) {
            self.removed.lock().insert(id.to_owned(), key);
        }
        let key = self.removed.lock().get(id).cloned();
        let key = key.ok_or_else(|| Problem::not_found("no key has this id"))?;
        self.keeper.forget(id).await.map_err(|error| {
            let text = "the key is refused from now on, but may come back with a restart: remove it \
                        again once the store can be written";
            Problem::not_written(error, text)
        })?;
        self.removed.lock().remove(id);
        Ok(key)
    }
}

fn hash(secret: &str) -> Vec<u8> {
    digest(&SHA256, secret.as_bytes()).as_ref().to_vec()
}

#[expect(clippy::expect_used, reason = "the range is not empty")]
fn random_id() -> String {
    let letters = Uniform::new_inclusive('a', 'z').expect("a range");
    rand::rng().sample_iter(letters).take(ID_LETTERS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn key_is_accepted_until_it_is_removed_and_its_secret_is_not_kept() {
        let keys = Keys::load(KeyKeeper::none()).unwrap();
        let (key, text) = keys.create("ci", Access::Rooms, None).unwrap();
        assert_eq!(keys.check(&text).unwrap().id, key.id);
        let secret = text.rsplit_once('_').unwrap().1;
        assert!(!format!("{:?}", keys.list()).contains(secret));
        assert!(keys.check(&format!("{text}x")).is_none() && keys.check("moim_a_b").is_none());
        let (other, _) = keys.create("other", Access::Admin, None).unwrap();
        assert!(keys.check(&text.replace(&key.id, &other.id)).is_none(), "another key's secret");
        assert_eq!(keys.remove(&key.id).await.unwrap().name, "ci");
        assert!(keys.check(&text).is_none());
    }

    #[test]
    fn expired_key_is_rejected() {
        let keys = Keys::load(KeyKeeper::none()).unwrap();
        assert!(keys.create("old", Access::Read, Some(now() - 1)).is_err());
        let (_, text) = keys.create("new", Access::Read, Some(now() + 60_000)).unwrap();
        assert!(keys.check(&text).is_some());
        for key in keys.keys.lock().values_mut() {
            key.expires = Some(now() - 1);
        }
        assert!(keys.check(&text).is_none());
    }
}
