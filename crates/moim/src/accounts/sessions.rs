//! Sessions of administrators, of which only hashes of secrets are kept.

use std::{collections::HashMap, time::Duration};

use access::UnixTime;

use crate::{
    session_secret::{SecretHash, new_secret},
    store::{
        Durable, Importance, NotWritten, Store,
        administrator_sessions::{self, StoredAdministratorSession},
    },
};

/// Sessions at once; the one unused for longest gives way.
const MAX_SESSIONS: usize = 64;
/// Time after which a session ends, used or not.
pub(crate) const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Seconds after which an unused session ends. An open page uses it every few seconds.
const IDLE_SECONDS: u64 = 12 * 60 * 60;
/// Seconds by which the store may know less of a session's use.
const KEPT_SECONDS: u64 = 15 * 60;

/// All sessions, by the hashes of their secrets.
#[derive(Debug)]
pub(super) struct Sessions {
    sessions: HashMap<SecretHash, Session>,
    store: Store,
}

#[derive(Debug)]
struct Session {
    administrator: String,
    opened: UnixTime,
    /// Its end, unless it is used before.
    expires: UnixTime,
    /// The same, as the store has it.
    kept_expires: UnixTime,
    /// It is over, but may still be in the store.
    is_closed: bool,
}

impl Session {
    fn new(administrator: &str, now: UnixTime) -> Self {
        let expires = now.plus(IDLE_SECONDS);
        let administrator = administrator.to_owned();
        Self { administrator, opened: now, expires, kept_expires: expires, is_closed: false }
    }

    fn is_open(&self, now: UnixTime) -> bool {
        !self.is_closed && now < self.expires
    }

    fn use_at(&mut self, now: UnixTime) {
        let idle = now.plus(IDLE_SECONDS);
        self.expires = self.expires.max(idle.min(self.opened.plus(LIFE.as_secs())));
    }
}

impl Sessions {
    /// The sessions that the store has, of administrators who are still there.
    ///
    /// # Errors
    /// A sentence for the operator, with the remedy.
    pub(super) fn load(store: Store, is_known: impl Fn(&str) -> bool) -> anyhow::Result<Self> {
        let kept = store.load(administrator_sessions::all)?.unwrap_or_default().into_iter();
        let kept = kept.filter(|stored| is_known(&stored.administrator));
        let sessions = kept.filter_map(session).take(MAX_SESSIONS).collect();
        Ok(Self { sessions, store })
    }

    /// Opens a session; returns its secret.
    pub(super) fn open(&mut self, administrator: &str, now: UnixTime) -> anyhow::Result<String> {
        // The store's upkeep deletes what has expired.
        self.sessions.retain(|_, session| now < session.expires);
        if self.sessions.len() >= MAX_SESSIONS {
            let oldest = self.sessions.iter().min_by_key(|(_, session)| session.expires);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                self.sessions.remove(&oldest);
                self.store.write(Importance::Record, move |database| {
                    administrator_sessions::remove(database, oldest.as_bytes())
                });
            }
        }
        let secret = new_secret()?;
        let (hash, session) = (SecretHash::of(&secret), Session::new(administrator, now));
        let stored = StoredAdministratorSession {
            hash: hash.as_bytes().to_vec(),
            administrator: session.administrator.clone(),
            opened: milliseconds(session.opened),
            expires: milliseconds(session.expires),
        };
        self.sessions.insert(hash, session);
        self.store.write(Importance::Record, move |database| {
            administrator_sessions::add(database, &stored)
        });
        Ok(secret)
    }

    /// The administrator of a session, which is used now.
    pub(super) fn find(&mut self, secret: &str, now: UnixTime) -> Option<String> {
        let hash = SecretHash::of(secret);
        let session = self.sessions.get_mut(&hash).filter(|session| session.is_open(now))?;
        session.use_at(now);
        let expires = session.expires;
        if expires.since(session.kept_expires) >= KEPT_SECONDS {
            session.kept_expires = expires;
            self.store.write(Importance::Sample, move |database| {
                let expires = milliseconds(expires);
                administrator_sessions::put_off(database, hash.as_bytes(), expires)
            });
        }
        Some(session.administrator.clone())
    }

    /// Ends a session. [`Self::forget`] follows once the store has it no more; before, it can be
    /// ended again.
    pub(super) fn close(&mut self, secret: &str) -> Durable {
        let hash = SecretHash::of(secret);
        // A secret of no session writes nothing: strangers may send any number of them.
        let Some(session) = self.sessions.get_mut(&hash) else { return Durable::written() };
        session.is_closed = true;
        self.store.write_durably(move |database| {
            administrator_sessions::remove(database, hash.as_bytes())
        })
    }

    /// Forgets a session that was ended, unless the store may still have it.
    pub(super) fn forget(&mut self, secret: &str, ended: Result<(), NotWritten>) {
        if ended.is_ok() {
            self.sessions.remove(&SecretHash::of(secret));
        }
    }

    /// Ends all sessions of an administrator. The store deletes them with whatever ends them.
    pub(super) fn end_all_of(&mut self, administrator: &str) {
        self.sessions.retain(|_, session| session.administrator != administrator);
    }
}

/// The session of a row.
fn session(stored: StoredAdministratorSession) -> Option<(SecretHash, Session)> {
    let StoredAdministratorSession { hash, administrator, opened, expires } = stored;
    let seconds = |at: i64| u64::try_from(at).ok().map(|at| UnixTime(at / 1000));
    let (opened, expires) = (seconds(opened)?, seconds(expires)?);
    let hash = SecretHash::read(&hash)?;
    let kept_expires = expires;
    Some((hash, Session { administrator, opened, expires, kept_expires, is_closed: false }))
}

fn milliseconds(time: UnixTime) -> i64 {
    i64::try_from(time.0.saturating_mul(1000)).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::tests::{Engine, on_both_engines};

    const HOUR: u64 = 60 * 60;
    const NOW: UnixTime = UnixTime(1_800_000_000);
    const PATIENCE: Duration = Duration::from_secs(20);

    fn in_memory() -> Sessions {
        Sessions::load(Store::none(), |_| true).unwrap()
    }

    on_both_engines! {
        sessions_survive_a_restart_as_hashes_with_their_use_until_they_end;
        session_that_the_store_still_has_is_over_and_can_be_ended_again;
    }

    fn sessions_survive_a_restart_as_hashes_with_their_use_until_they_end(engine: &Engine) {
        let store = engine.open();
        let load = |known: &'static str| {
            assert!(store.flush(PATIENCE));
            Sessions::load(store.clone(), |name| name == known).unwrap()
        };
        let mut sessions = load("ann");
        let secret = sessions.open("ann", NOW).unwrap();
        let unused = sessions.open("ann", NOW).unwrap();
        let later = NOW.plus(6 * HOUR);
        assert!(sessions.find(&secret, later).is_some());
        let text = format!("{:?}", store.load(administrator_sessions::all).unwrap());
        assert!(!text.contains(&secret) && !text.contains(&unused));
        let mut again = load("ann");
        let (then, end) = (NOW.plus(IDLE_SECONDS), NOW.plus(6 * HOUR + IDLE_SECONDS));
        assert_eq!(again.find(&secret, then).as_deref(), Some("ann"), "it was used");
        assert_eq!(again.find(&unused, then), None);
        assert_eq!(load("ann").find(&secret, end).as_deref(), Some("ann"), "and again");
        assert_eq!(load("ben").find(&secret, then), None, "she was removed meanwhile");
    }

    fn session_that_the_store_still_has_is_over_and_can_be_ended_again(engine: &Engine) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.unwrap();
        let store = engine.open();
        let mut sessions = Sessions::load(store.clone(), |_| true).unwrap();
        let secret = sessions.open("ann", NOW).unwrap();
        let (release, held) = std::sync::mpsc::channel::<()>();
        store.write(Importance::Record, move |_| {
            let _ = held.recv();
            Ok(())
        });
        while store.write(Importance::Record, |_| Ok(())) {}
        let ended = runtime.block_on(sessions.close(&secret).wait());
        assert_eq!(ended, Err(NotWritten::Full));
        sessions.forget(&secret, ended);
        assert_eq!(sessions.find(&secret, NOW), None);
        drop(release);
        assert!(store.flush(PATIENCE));
        let ended = runtime.block_on(sessions.close(&secret).wait());
        assert_eq!(ended, Ok(()));
        sessions.forget(&secret, ended);
        assert_eq!(store.load(administrator_sessions::all).unwrap().unwrap(), []);
    }

    #[test]
    fn session_ends_when_unused_and_in_the_end_anyway() {
        let mut sessions = in_memory();
        let mut now = NOW;
        let secret = sessions.open("ann", now).unwrap();
        assert_eq!(sessions.find(&secret, now).as_deref(), Some("ann"));
        assert_eq!(sessions.find("other", now), None);
        let unused = sessions.open("ann", now).unwrap();
        assert_eq!(sessions.find(&unused, now.plus(IDLE_SECONDS)), None);
        let end = NOW.plus(LIFE.as_secs());
        while now.plus(HOUR) < end {
            now = now.plus(HOUR);
            assert!(sessions.find(&secret, now).is_some(), "in use");
        }
        assert_eq!(sessions.find(&secret, end), None);
    }

    #[test]
    fn sessions_are_bounded_and_the_idlest_gives_way() {
        let mut sessions = in_memory();
        let first = sessions.open("ann", NOW).unwrap();
        let second = sessions.open("ann", NOW).unwrap();
        for n in 1..200 {
            let now = NOW.plus(n);
            assert!(sessions.find(&first, now).is_some());
            sessions.open("ben", now).unwrap();
            assert!(sessions.sessions.len() <= MAX_SESSIONS);
        }
        assert_eq!(sessions.find(&second, NOW), None);
        sessions.end_all_of("ann");
        assert_eq!(sessions.find(&first, NOW), None);
        assert_eq!(sessions.sessions.len(), MAX_SESSIONS - 1);
    }

    #[test]
    fn closed_session_is_over() {
        let mut sessions = in_memory();
        let secret = sessions.open("ann", NOW).unwrap();
        let _ = sessions.close(&secret);
        assert_eq!(sessions.find(&secret, NOW), None);
    }
}
