//! Administrators of this server: their passwords, the one-time link that makes one, and their
//! sessions.
//!
//! The first administrator comes by a link that the server prints while it has none; further ones
//! come by links of `moim ctl admin link`. Passwords are kept as argon2id hashes, sessions as hashes of
//! random secrets, and links the same way, in memory alone. Whatever else vouches for an administrator
//! opens a session with [`Accounts::open_session`].

mod administrator;
mod keeper;
mod limits;
mod link;
mod password;
mod sessions;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

use anyhow::Context;
use parking_lot::Mutex;
use tokio::{
    sync::Semaphore,
    task::spawn_blocking,
    time::{Instant, sleep},
};

pub(crate) use self::{
    administrator::Administrator,
    keeper::Keeper,
    limits::InvalidAccountError,
    link::{LIFE as LINK_LIFE, path as link_path},
    sessions::LIFE as SESSION_LIFE,
};
use self::{
    limits::{check_length, checked_name},
    link::Link,
    password::PasswordHash,
    sessions::Sessions,
};
use crate::{
    access::now,
    net::client_prefix::ClientPrefix,
    signaling::guesses::Guesses,
    store::{NotWritten, ids},
};

/// Administrators that may exist.
const MAX_ADMINISTRATORS: usize = 32;
/// Passwords hashed at once: each takes 19 MiB and some tens of milliseconds.
const MAX_HASHING: usize = 2;
/// Sign-ins that hash, or wait for it.
const MAX_CHECKS: usize = 16;

/// Why nobody became an administrator by a link.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ClaimError {
    #[error("this link was used or has expired: `moim ctl admin link` makes another one")]
    Link,
    #[error(transparent)]
    Invalid(#[from] InvalidAccountError),
    #[error("there are {MAX_ADMINISTRATORS} administrators: remove one first")]
    Full,
    /// The system or the disk.
    #[error(transparent)]
    Failed(#[from] anyhow::Error),
}

/// Why a sign-in was refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum SignInError {
    #[error("wrong name or password")]
    Wrong,
    #[error("too many attempts from this network: wait a minute")]
    TooMany,
}

/// The administrators, their links and sessions.
#[derive(Debug)]
pub(crate) struct Accounts {
    administrators: Mutex<BTreeMap<String, Administrator>>,
    /// Those who may do nothing any more, but may still be in the store.
    removed: Mutex<BTreeMap<String, Administrator>>,
    link: Mutex<Option<Link>>,
    sessions: Mutex<Sessions>,
    guesses: Arc<Guesses>,
    checks: Arc<Semaphore>,
    hashing: Arc<Semaphore>,
    keeper: Keeper,
    /// Compared with where no administrator has the given name, so that both take the same time.
    nobody: PasswordHash,
}

impl Accounts {
    /// The administrators that are kept.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(crate) fn load(keeper: Keeper) -> anyhow::Result<Self> {
        let kept = keeper.load()?.into_iter();
        let administrators: BTreeMap<_, _> = kept.map(|one| (one.name.clone(), one)).collect();
        let sessions = Sessions::load(keeper.store(), |name| administrators.contains_key(name))?;
        Ok(Self {
            administrators: Mutex::new(administrators),
            removed: Mutex::default(),
            link: Mutex::default(),
            sessions: Mutex::new(sessions),
            guesses: Guesses::new(Instant::now()),
            checks: Arc::new(Semaphore::new(MAX_CHECKS)),
            hashing: Arc::new(Semaphore::new(MAX_HASHING)),
            keeper,
            nobody: PasswordHash::of_nobody()?,
        })
    }

    /// True before the first administrator.
    pub(crate) fn is_empty(&self) -> bool {
        self.administrators.lock().is_empty()
    }

    /// All administrators, by name.
    pub(crate) fn list(&self) -> Vec<Administrator> {
        self.administrators.lock().values().cloned().collect()
    }

    /// Makes the one-time link, in place of an earlier one; returns its secret.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn make_link(&self, now: Instant) -> anyhow::Result<String> {
        let (link, secret) = Link::new(now)?;
        *self.link.lock() = Some(link);
        Ok(secret)
    }

    /// Makes an administrator by the one-time link; returns the name. One that exists gets the new
    /// password, and its sessions end.
    ///
    /// # Errors
    /// See [`ClaimError`]. The link stays good unless it was used.
    pub(crate) async fn claim(
        &self,
        secret: &str,
        name: &str,
        password: String,
        now: Instant,
    ) -> Result<String, ClaimError> {
        let name = checked_name(name)?;
        check_length(&password)?;
        if self.is_full_for(&name) {
            return Err(ClaimError::Full);
        }
        {
            let mut link = self.link.lock();
            if !link.as_ref().is_some_and(|link| link.is_of(secret, now)) {
                return Err(ClaimError::Link);
            }
            *link = None;
        }
        let permit = Arc::clone(&self.hashing).acquire_owned().await;
        let hash = spawn_blocking(move || {
            // Hashing goes on if the client gives up, and so does its share.
            let _permit = permit;
            PasswordHash::of(&password)
        });
        let hash = hash.await.map_err(anyhow::Error::from)??;
        let administrator =
            Administrator { name: name.clone(), password: hash, created: ids::now() };
        let kept = {
            let mut administrators = self.administrators.lock();
            let others = administrators.values().filter(|one| one.name != name);
            let kept = self.keeper.keep(others.chain([&administrator]), &name)?;
            administrators.insert(name.clone(), administrator);
            self.sessions.lock().end_all_of(&name);
            kept
        };
        let written = kept.wait().await;
        written.context("the password counts, but may be the old one after a restart")?;
        Ok(name)
    }

    fn is_full_for(&self, name: &str) -> bool {
        let administrators = self.administrators.lock();
        administrators.len() >= MAX_ADMINISTRATORS && !administrators.contains_key(name)
    }

    /// Checks a password. Wrong ones delay further attempts from the same network.
    ///
    /// # Errors
    /// See [`SignInError`].
    pub(crate) async fn check(
        &self,
        client: ClientPrefix,
        name: &str,
        password: String,
    ) -> Result<String, SignInError> {
        let (guess, delay) =
            self.guesses.take(client, Instant::now()).ok_or(SignInError::TooMany)?;
        sleep(delay).await;
        let place = Arc::clone(&self.checks).try_acquire_owned();
        let place = place.map_err(|_| SignInError::TooMany)?;
        let permit = Arc::clone(&self.hashing).acquire_owned().await;
        let found = self.administrators.lock().get(name.trim()).cloned();
        let hash = found.as_ref().map_or(&self.nobody, |one| &one.password).clone();
        let is_known = found.is_some();
        let is_right = spawn_blocking(move || {
            // A client that gives up frees neither its share of hashing nor its attempt.
            let _permits = (place, permit);
            let is_right = hash.is_of(&password) && is_known;
            if !is_right {
                guess.was_wrong();
            }
            is_right
        });
        let is_right = is_right.await.unwrap_or(false);
        let one = found.filter(|_| is_right).ok_or(SignInError::Wrong)?;
        // Removed, or with another password, since it was hashed.
        let administrators = self.administrators.lock();
        let is_current = administrators.get(&one.name).is_some_and(|now| now.is(&one));
        if is_current { Ok(one.name) } else { Err(SignInError::Wrong) }
    }

    /// Removes an administrator, and ends its sessions and the one-time link. Returns false if there
    /// is none, and true once the store has it no more. Until then, and if that fails, it may do
    /// nothing, and can be removed again.
    ///
    /// # Errors
    /// It may come back with a restart. A sentence for the operator.
    pub(crate) async fn remove(&self, name: &str) -> anyhow::Result<bool> {
        let kept = {
            let mut administrators = self.administrators.lock();
            let mut removed = self.removed.lock();
            if let Some(one) = administrators.remove(name) {
                removed.insert(name.to_owned(), one);
            }
            if !removed.contains_key(name) {
                return Ok(false);
            }
            self.sessions.lock().end_all_of(name);
            // The one who is removed may have made it.
            *self.link.lock() = None;
            self.keeper.keep(administrators.values(), name)?
        };
        kept.wait().await?;
        self.removed.lock().remove(name);
        Ok(true)
    }

    /// Opens a session of an administrator, whoever vouched for it; returns its secret.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn open_session(&self, name: &str) -> anyhow::Result<String> {
        self.sessions.lock().open(name, now())
    }

    /// The administrator of a session that has not ended.
    pub(crate) fn session(&self, secret: &str) -> Option<String> {
        self.sessions.lock().find(secret, now())
    }

    /// Ends a session. Returns once the store does not have it any more. Until then, and if that
    /// fails, it is over all the same, and can be ended again.
    ///
    /// # Errors
    /// It may come back with a restart.
    pub(crate) async fn close_session(&self, secret: &str) -> Result<(), NotWritten> {
        let closing = self.sessions.lock().close(secret);
        let ended = closing.wait().await;
        self.sessions.lock().forget(secret, ended);
        ended
    }
}
