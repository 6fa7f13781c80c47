//! Administrators of this server: their passwords, the one-time link that makes one, and their
//! sessions.
//!
//! The first administrator comes by a link that the server prints while it has none; further ones
//! come by links of `moim ctl admin link`. Passwords are kept as argon2id hashes, links and sessions
//! as hashes of random secrets, in memory alone. Whatever else vouches for an administrator opens a
//! session with [`Accounts::open_session`].

mod administrator;
mod keeper;
mod limits;
mod link;
mod password;
mod secret;
mod sessions;
#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, sync::Arc};

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
use crate::{net::client_prefix::ClientPrefix, signaling::guesses::Guesses, store::ids};

/// Administrators that may exist.
const MAX_ADMINISTRATORS: usize = 32;
/// Passwords hashed at once: each takes 19 MiB and some tens of milliseconds.
const MAX_HASHING: usize = 2;

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
    link: Mutex<Option<Link>>,
    sessions: Mutex<Sessions>,
    guesses: Arc<Guesses>,
    hashing: Semaphore,
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
        let administrators = kept.map(|one| (one.name.clone(), one)).collect();
        Ok(Self {
            administrators: Mutex::new(administrators),
            link: Mutex::default(),
            sessions: Mutex::default(),
            guesses: Guesses::new(Instant::now()),
            hashing: Semaphore::new(MAX_HASHING),
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
        let permit = self.hashing.acquire().await;
        let hash = spawn_blocking(move || PasswordHash::of(&password)).await;
        drop(permit);
        let hash = hash.map_err(anyhow::Error::from)??;
        let administrator =
            Administrator { name: name.clone(), password: hash, created: ids::now() };
        let mut administrators = self.administrators.lock();
        administrators.insert(name.clone(), administrator);
        self.keeper.keep(administrators.values())?;
        drop(administrators);
        self.sessions.lock().end_all_of(&name);
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
        let found = self.administrators.lock().get(name.trim()).cloned();
        let hash = found.as_ref().map_or(&self.nobody, |one| &one.password).clone();
        let permit = self.hashing.acquire().await;
        let is_right = spawn_blocking(move || hash.is_of(&password)).await.unwrap_or(false);
        drop(permit);
        match found {
            Some(one) if is_right => Ok(one.name),
            _ => {
                guess.was_wrong();
                Err(SignInError::Wrong)
            }
        }
    }

    /// Removes an administrator and ends its sessions. Returns false if there is none.
    ///
    /// # Errors
    /// The change can't be kept. A sentence for the operator.
    pub(crate) fn remove(&self, name: &str) -> anyhow::Result<bool> {
        let mut administrators = self.administrators.lock();
        if administrators.remove(name).is_none() {
            return Ok(false);
        }
        self.sessions.lock().end_all_of(name);
        self.keeper.keep(administrators.values())?;
        Ok(true)
    }

    /// Opens a session of an administrator, whoever vouched for it; returns its secret.
    ///
    /// # Errors
    /// The system has no randomness.
    pub(crate) fn open_session(&self, name: &str, now: Instant) -> anyhow::Result<String> {
        self.sessions.lock().open(name, now)
    }

    /// The administrator of a session that has not ended.
    pub(crate) fn session(&self, secret: &str, now: Instant) -> Option<String> {
        self.sessions.lock().find(secret, now)
    }

    /// Ends a session.
    pub(crate) fn close_session(&self, secret: &str) {
        self.sessions.lock().close(secret);
    }
}
