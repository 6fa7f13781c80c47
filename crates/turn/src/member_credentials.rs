//! Credentials of room members: valid for some minutes, and only while their participant is a
//! member of the room.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::rest::Credential;

/// The participants that may use the relay.
pub trait Members: Send + Sync {
    /// Returns whether this participant is in a room, or is expected to reconnect.
    fn contains(&self, participant: &str) -> bool;
}

/// Issues credentials to room members and checks their membership.
///
/// The secret is used for nothing else, so only members hold such a credential. Expiries are
/// checked by the monotonic clock: a wall clock that jumps neither ends nor extends a credential.
#[derive(Clone)]
pub struct MemberCredentials {
    secret: Arc<[u8]>,
    members: Arc<dyn Members>,
    /// An instant and its wall-clock time in seconds since 1970.
    epoch: (Instant, u64),
}

impl MemberCredentials {
    /// An issuer that signs with `secret`; `now` is `unix_now` in seconds since 1970.
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

    /// The time in seconds since 1970 on the clock of these expiries.
    pub(crate) fn unix_time(&self, now: Instant) -> u64 {
        let (start, unix) = self.epoch;
        unix + now.saturating_duration_since(start).as_secs()
    }
}

/// Omits the secret.
impl std::fmt::Debug for MemberCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MemberCredentials").field("epoch", &self.epoch).finish_non_exhaustive()
    }
}
