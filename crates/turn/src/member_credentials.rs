//! Credentials of rooms: each lasts some minutes, and is good only while its participant is a
//! member of the room.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::rest::Credential;

/// Participants who may use the relay now.
pub trait Members: Send + Sync {
    /// Whether this participant is in a room, or is expected back there.
    fn contains(&self, participant: &str) -> bool;
}

/// Mints room credentials, and knows their members.
///
/// Its secret is no other service's, so that only members hold such a credential. Their expiry is
/// judged by the monotonic clock: a wall clock that jumps ends no credential and prolongs none.
#[derive(Clone)]
pub struct MemberCredentials {
    secret: Arc<[u8]>,
    members: Arc<dyn Members>,
    /// An instant and its time in seconds since 1970.
    epoch: (Instant, u64),
}

impl MemberCredentials {
    /// Credentials made with `secret`; `now` is `unix_now` in seconds since 1970.
    #[must_use]
    pub fn new(secret: &[u8], members: Arc<dyn Members>, now: Instant, unix_now: u64) -> Self {
        Self { secret: secret.into(), members, epoch: (now, unix_now) }
    }

    /// A credential for a participant.
    #[must_use]
    pub fn mint(&self, now: Instant, lifetime: Duration, participant: &str) -> Credential {
        Credential::mint(&self.secret, self.unix_time(now) + lifetime.as_secs(), participant)
    }

    pub(crate) fn secret(&self) -> &[u8] {
        &self.secret
    }

    pub(crate) fn has_member(&self, participant: &str) -> bool {
        self.members.contains(participant)
    }

    /// Seconds since 1970, as the expiry of these credentials counts them.
    pub(crate) fn unix_time(&self, now: Instant) -> u64 {
        let (start, unix) = self.epoch;
        unix + now.saturating_duration_since(start).as_secs()
    }
}

/// Without the secret.
impl std::fmt::Debug for MemberCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemberCredentials").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
