//! Sessions of administrators, in memory: a restart ends them.

use std::{collections::HashMap, time::Duration};

use tokio::time::Instant;

use crate::session_secret::{SecretHash, new_secret};

/// Sessions at once; the one unused for longest gives way.
const MAX_SESSIONS: usize = 64;
/// Time after which a session ends, used or not.
pub(crate) const LIFE: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// Time after which an unused session ends. An open page uses it every few seconds.
const IDLE: Duration = Duration::from_secs(12 * 60 * 60);

/// All sessions, by the hashes of their secrets.
#[derive(Debug, Default)]
pub(super) struct Sessions(HashMap<SecretHash, Session>);

#[derive(Debug)]
struct Session {
    administrator: String,
    opened: Instant,
    used: Instant,
}

impl Session {
    fn is_open(&self, now: Instant) -> bool {
        let since = |then| now.saturating_duration_since(then);
        since(self.opened) < LIFE && since(self.used) < IDLE
    }
}

impl Sessions {
    /// Opens a session; returns its secret.
    pub(super) fn open(&mut self, administrator: &str, now: Instant) -> anyhow::Result<String> {
        self.0.retain(|_, session| session.is_open(now));
        if self.0.len() >= MAX_SESSIONS {
            let oldest = self.0.iter().min_by_key(|(_, session)| session.used);
            if let Some(oldest) = oldest.map(|(hash, _)| *hash) {
                self.0.remove(&oldest);
            }
        }
        let secret = new_secret()?;
        let session = Session { administrator: administrator.to_owned(), opened: now, used: now };
        self.0.insert(SecretHash::of(&secret), session);
        Ok(secret)
    }

    /// The administrator of a session, which is used now.
    pub(super) fn find(&mut self, secret: &str, now: Instant) -> Option<String> {
        let session = self.0.get_mut(&SecretHash::of(secret))?;
        if !session.is_open(now) {
            return None;
        }
        session.used = now;
        Some(session.administrator.clone())
    }

    /// Ends a session.
    pub(super) fn close(&mut self, secret: &str) {
        self.0.remove(&SecretHash::of(secret));
    }

    /// Ends all sessions of an administrator.
    pub(super) fn end_all_of(&mut self, administrator: &str) {
        self.0.retain(|_, session| session.administrator != administrator);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[test]
    fn session_ends_when_unused_and_in_the_end_anyway() {
        let mut sessions = Sessions::default();
        let mut now = Instant::now();
        let secret = sessions.open("ann", now).unwrap();
        assert_eq!(sessions.find(&secret, now).as_deref(), Some("ann"));
        assert_eq!(sessions.find("other", now), None);
        assert_eq!(sessions.find(&secret, now + IDLE), None);
        let opened = now;
        while now + HOUR < opened + LIFE {
            now += HOUR;
            assert!(sessions.find(&secret, now).is_some(), "in use");
        }
        assert_eq!(sessions.find(&secret, opened + LIFE), None);
    }

    #[test]
    fn sessions_are_bounded_and_the_idlest_gives_way() {
        let mut sessions = Sessions::default();
        let start = Instant::now();
        let first = sessions.open("ann", start).unwrap();
        let second = sessions.open("ann", start).unwrap();
        for n in 0..200 {
            let now = start + Duration::from_secs(n);
            assert!(sessions.find(&first, now).is_some());
            sessions.open("ben", now).unwrap();
            assert!(sessions.0.len() <= MAX_SESSIONS);
        }
        assert_eq!(sessions.find(&second, start), None);
        sessions.end_all_of("ann");
        assert_eq!(sessions.find(&first, start), None);
        assert_eq!(sessions.0.len(), MAX_SESSIONS - 1);
    }

    #[test]
    fn closed_session_is_over() {
        let mut sessions = Sessions::default();
        let now = Instant::now();
        let secret = sessions.open("ann", now).unwrap();
        sessions.close(&secret);
        assert_eq!(sessions.find(&secret, now), None);
    }
}
