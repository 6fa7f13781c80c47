//! Answers to `room:check`.

use room::{
    Address,
    name::RoomName,
    protocol::{ErrorBody, ErrorCode, RoomChecked},
};
use tokio::time::Instant;

use super::{counters::RateLimited, hub::Hub};
use crate::net::client_prefix::ClientPrefix;

impl Hub {
    /// Tells whether a join without a password would be rejected for that: no more than the rejection
    /// does. The room is not asked, so the time of the answer tells nothing either.
    ///
    /// # Errors
    /// Too many questions from this client prefix: names can't be tried faster than by joining.
    pub(super) fn check(
        &self,
        room: &RoomName,
        from: ClientPrefix,
    ) -> Result<RoomChecked, ErrorBody> {
        if !from.is_loopback() && !self.checks.take(from, Instant::now()) {
            self.counters.rate_limited(RateLimited::Checks);
            let message = "too many rooms checked from this address; try again later";
            return Err(ErrorBody::new(ErrorCode::RateLimited, message));
        }
        let open = self.lobby.find(&Address::native(room));
        let room = open.or_else(|| Some(self.kept.describe(room)?.summary));
        Ok(RoomChecked { locked: room.is_some_and(|room| room.locked) })
    }
}
