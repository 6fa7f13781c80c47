//! Credentials that rooms give their participants, and the participants who may use them.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::RwLock;
use tokio::sync::Notify;
use turn::{MemberCredentials, rest::Credential};

/// Participants at once that the relay serves; those who come then have STUN alone. More than there
/// may be sessions, and those who are expected back.
const MOST: usize = 1 << 18;

/// The rooms' side of the relay. Clones are of the same rooms.
#[derive(Debug, Clone)]
pub(crate) struct RoomCredentials {
    rooms: MemberCredentials,
    members: Arc<Members>,
}

/// Whoever is in a room now. Shards look here at requests, never at data.
#[derive(Debug, Default)]
struct Members {
    present: RwLock<HashSet<Box<str>>>,
    left: Notify,
}

impl turn::Members for Members {
    fn contains(&self, participant: &str) -> bool {
        self.present.read().contains(participant)
    }
}

impl RoomCredentials {
    /// For the rooms of this process, whose credentials are made with `secret`.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let members = Arc::<Members>::default();
        let known: Arc<dyn turn::Members> = Arc::<Members>::clone(&members);
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let rooms = MemberCredentials::new(secret, known, Instant::now(), unix.as_secs());
        Self { rooms, members }
    }

    /// With a secret that nobody else has, and that ends with the process, as its rooms do.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn random() -> std::io::Result<Self> {
        Ok(Self::new(&super::random()?))
    }

    /// For the relay's servers.
    pub(super) fn rooms(&self) -> MemberCredentials {
        self.rooms.clone()
    }

    /// Lets a participant use the relay until the access is dropped; none where too many do.
    pub(crate) fn admit(&self, participant: &str) -> Option<RelayAccess> {
        let mut present = self.members.present.write();
        if present.len() >= MOST || !present.insert(participant.into()) {
            return None;
        }
        Some(RelayAccess { of: self.clone(), participant: participant.into() })
    }

    /// Whether a participant may use the relay.
    #[cfg(test)]
    pub(crate) fn has(&self, participant: &str) -> bool {
        turn::Members::contains(&*self.members, participant)
    }

    /// Returns when somebody has left since the last time.
    pub(super) async fn left(&self) {
        self.members.left.notified().await;
    }
}

/// A participant's access to the relay. When it is dropped, their credentials are refused and their
/// allocations end.
#[derive(Debug)]
pub(crate) struct RelayAccess {
    of: RoomCredentials,
    participant: Box<str>,
}

impl RelayAccess {
    /// A credential for new allocations during `lifetime`.
    pub(crate) fn mint(&self, lifetime: Duration) -> Credential {
        self.of.rooms.mint(Instant::now(), lifetime, &self.participant)
    }
}

impl Drop for RelayAccess {
    fn drop(&mut self) {
        let members = &self.of.members;
        let mut present = members.present.write();
        present.remove(&self.participant);
        drop(present);
        members.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use turn::Members as _;

    use super::*;

    #[tokio::test]
    async fn a_participant_is_a_member_until_the_access_is_dropped() {
        let credentials = RoomCredentials::new(b"secret");
        let access = credentials.admit("ann").unwrap();
        assert!(credentials.admit("ann").is_none(), "there is one of them");
        assert!(credentials.members.contains("ann") && !credentials.members.contains("ben"));
        drop(access);
        assert!(!credentials.members.contains("ann"));
        credentials.left().await;
        assert!(credentials.admit("ann").is_some());
    }
}
