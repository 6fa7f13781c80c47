//! The steps that authenticated requests share, and one file per method (RFC 8656 §7 to §12).

mod allocate;
mod attributes;
mod binding;
mod channel;
mod permission;
mod ports;
mod refresh;

use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

use self::attributes::{known, unknown};
use super::{
    Server, allocation::Allocation, forward::Forward, rejection::Rejection, relay_id::RelayId,
    transaction::Transaction,
};
use crate::{
    FiveTuple,
    credentials::Authenticated,
    policy::Verdict,
    stun::{
        Message, Method,
        attribute::{Family, LIFETIME},
    },
};

impl Server {
    /// Handles a request that needs a credential. One that belongs to another shard is forwarded
    /// there once it is authenticated.
    pub(super) fn request<'a>(
        &'a mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        message: &Message<'a>,
        requested_shard: Option<u8>,
    ) -> Option<Forward<'a>> {
        if self.holds_requests {
            return None;
        }
        let step = match message.method() {
            Method::ALLOCATE => Self::allocate,
            Method::REFRESH => Self::refresh,
            Method::CREATE_PERMISSION => Self::create_permission,
            Method::CHANNEL_BIND => Self::channel_bind,
            Method::CONNECT if self.config.tcp => Self::connect,
            Method::CONNECTION_BIND if self.config.tcp => Self::connection_bind,
            _ => {
                self.counters.dropped_unexpected += 1;
                return None;
            }
        };
        let transaction = Transaction::from(message);
        let user = match self.authenticate(now, unix_now, from, message) {
            Ok(user) => user,
            Err(rejection) if self.admit_unauthenticated(now, from) => {
                return Some(self.challenge(now, from, transaction, rejection));
            }
            Err(_) => return None,
        };
        self.rate.note_validated(now, from.client.ip());
        if let Some(shard) = requested_shard {
            return self.forward_to_shard(now, from, shard, message);
        }
        let known = known(transaction.method, self.config.dont_fragment);
        let mut unknown = unknown(message, known).peekable();
        if unknown.peek().is_some() {
            return Some(self.reject_unknown(from, transaction, Some(&user.key), unknown));
        }
        match step(self, now, from, message, &user) {
            Ok(granted) => self.grant(from, transaction, &user.key, granted),
            Err(rejection) => Some(self.reject(from, transaction, &user.key, rejection)),
        }
    }

    /// Returns whether the rate limit admits a response to an unauthenticated request.
    fn admit_unauthenticated(&mut self, now: Instant, from: &FiveTuple) -> bool {
        let client = from.client.ip();
        let validated = from.transport.validates_address() || self.rate.is_validated(now, client);
        let admitted = self.rate.admit(now, client, validated);
        if !admitted {
            self.counters.dropped_rate += 1;
        }
        admitted
    }

    /// The allocation of a client's five-tuple, provided that the same user made it.
    pub(super) fn owned_allocation(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        user: &Authenticated<'_>,
    ) -> Result<(RelayId, &mut Allocation), Rejection> {
        let is_live =
            |allocation: &Allocation| allocation.expires > now && !allocation.is_opening();
        match self.allocations.of_client_mut(from) {
            Some((relay, allocation))
                if is_live(allocation) && user.owns(&allocation.username, allocation.is_member) =>
            {
                Ok((relay, allocation))
            }
            Some((_, allocation)) if is_live(allocation) => Err(Rejection::WRONG_CREDENTIALS),
            _ => Err(Rejection::ALLOCATION_MISMATCH),
        }
    }

    /// Checks that a peer may be permitted. The result is true where the address is ours and only
    /// its relayed addresses are peers. A denied address is denied in every embedding, before its
    /// family matters. `has` states the families of the client's relayed addresses.
    pub(super) fn check_peer(
        &self,
        peer: IpAddr,
        has: impl Fn(Family) -> bool,
    ) -> Result<bool, Rejection> {
        let verdict = self.policy.check(peer, self.allocations.on(peer.to_canonical()));
        if verdict == Verdict::Denied {
            return Err(Rejection::FORBIDDEN);
        }
        if !has(Family::of(peer.to_canonical())) || peer.to_canonical() != peer {
            return Err(Rejection::FAMILY_MISMATCH);
        }
        Ok(verdict == Verdict::OwnRelays)
    }

    /// The granted lifetime in seconds, if the request carries LIFETIME. A Refresh with lifetime 0
    /// ends the allocation.
    fn lifetime(&self, message: &Message<'_>) -> Result<Option<u32>, Rejection> {
        let Some(value) = message.attribute(LIFETIME) else { return Ok(None) };
        let value = <[u8; 4]>::try_from(value).map_err(|_| Rejection::BAD_REQUEST)?;
        let requested = u32::from_be_bytes(value);
        let ends = requested == 0 && message.method() == Method::REFRESH;
        Ok(Some(if ends { 0 } else { self.clamp_lifetime(requested) }))
    }

    /// Clamps a lifetime to the default and the maximum (RFC 8656 §7.2).
    fn clamp_lifetime(&self, requested: u32) -> u32 {
        let limits = &self.config.limits;
        let seconds = |lifetime: Duration| u32::try_from(lifetime.as_secs()).unwrap_or(u32::MAX);
        requested.max(seconds(limits.default_lifetime)).min(seconds(limits.max_lifetime))
    }
}
