//! TURN credentials of participants, valid while they are in a room.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use parking_lot::RwLock;
use tokio::sync::Notify;
use turn::{MemberCredentials, rest::Credential};

/// The most participants with access to TURN; others have STUN alone. Sessions, including those
/// that may resume, stay below it.
const MAX_MEMBERS: usize = 1 << 18;

/// Issues TURN credentials for the participants of rooms. Clones share the same rooms.
#[derive(Debug, Clone)]
pub(crate) struct RoomCredentials {
    rooms: MemberCredentials,
    members: Arc<Members>,
}

/// The participants of all rooms. Shards read them for requests, never for data.
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
    /// Credentials for the rooms of this process, signed with `secret`.
    pub(crate) fn new(secret: &[u8]) -> Self {
        let members = Arc::<Members>::default();
        let known: Arc<dyn turn::Members> = Arc::<Members>::clone(&members);
        let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let rooms = MemberCredentials::new(secret, known, Instant::now(), unix.as_secs());
        Self { rooms, members }
    }

    /// The verifier for TURN servers.
    pub(super) fn rooms(&self) -> MemberCredentials {
        self.rooms.clone()
    }

    /// Gives a participant access to TURN until the result is dropped. Returns `None` at the limit.
    pub(crate) fn admit(&self, participant: &str) -> Option<RelayAccess> {
        let mut present = self.members.present.write();
        if present.len() >= MAX_MEMBERS || !present.insert(participant.into()) {
            return None;
        }
        Some(RelayAccess { credentials: self.clone(), participant: participant.into() })
    }

    /// Checks if a participant has access to TURN.
    #[cfg(test)]
    pub(crate) fn has(&self, participant: &str) -> bool {
        turn::Members::contains(&*self.members, participant)
    }

    /// Waits until a participant has left since the last call.
    pub(crate) async fn member_left(&self) {
        self.members.left.notified().await;
    }
}

/// A participant's access to TURN. After it is dropped, the participant's credentials are refused
/// and their allocations end.
#[derive(Debug)]
pub(crate) struct RelayAccess {
    credentials: RoomCredentials,
    participant: Box<str>,
}

impl RelayAccess {
    /// Issues a credential for new allocations during `lifetime`.
    pub(crate) fn mint(&self, lifetime: Duration) -> Credential {
        self.credentials.rooms.mint(Instant::now(), lifetime, &self.participant)
    }
}

impl Drop for RelayAccess {
    fn drop(&mut self) {
        let members = &self.credentials.members;
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
    async fn participant_is_a_member_until_its_access_is_dropped() {
        let credentials = RoomCredentials::new(b"secret");
        let access = credentials.admit("ann").unwrap();
        assert!(credentials.admit("ann").is_none(), "already a member");
        assert!(credentials.members.contains("ann") && !credentials.members.contains("ben"));
        drop(access);
        assert!(!credentials.members.contains("ann"));
        credentials.member_left().await;
        assert!(credentials.admit("ann").is_some());
    }
}
