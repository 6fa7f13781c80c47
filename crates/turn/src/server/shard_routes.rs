//! Routes of client datagrams to the shard that has their allocation.
//!
//! The kernel assigns each five-tuple to one shard, no matter which shard has the allocation. A
//! client that moves to another address (RFC 8016) or redeems a reservation may therefore arrive at
//! the wrong one. Its request names the right shard by its ticket or token. Once that request is
//! authenticated it is forwarded, and so are all later datagrams of the five-tuple.

use std::time::{Duration, Instant};

use foldhash::HashMap;

use super::{
    Server,
    forward::{Forward, ToShard},
};
use crate::{FiveTuple, Transport, stun::Message, ticket::shard_requested_by};

/// The shards that five-tuples are forwarded to, each until its route expires.
pub(super) struct ShardRoutes {
    by_client: HashMap<FiveTuple, (u8, Instant)>,
    max_routes: usize,
    /// The maximum lifetime of an allocation without a Refresh.
    lifetime: Duration,
}

impl ShardRoutes {
    pub(super) fn new(max_routes: usize, lifetime: Duration) -> Self {
        Self { by_client: HashMap::default(), max_routes, lifetime }
    }

    /// The shard that a five-tuple is forwarded to.
    fn get(&self, now: Instant, from: &FiveTuple) -> Option<u8> {
        // Clients rarely move, so the table is usually empty.
        if self.by_client.is_empty() {
            return None;
        }
        let (shard, until) = self.by_client.get(from)?;
        (*until > now).then_some(*shard)
    }

    /// Renews the route of a five-tuple. Returns whether there is one.
    pub(super) fn renew(&mut self, now: Instant, from: &FiveTuple) -> bool {
        match self.get(now, from) {
            Some(shard) => self.insert(now, *from, shard),
            None => false,
        }
    }

    /// Adds or renews a route. Returns false if the table is full.
    fn insert(&mut self, now: Instant, from: FiveTuple, shard: u8) -> bool {
        if self.by_client.len() >= self.max_routes && !self.by_client.contains_key(&from) {
            self.by_client.retain(|_, (_, until)| *until > now);
        }
        let has_room = self.by_client.len() < self.max_routes || self.by_client.contains_key(&from);
        if has_room {
            self.by_client.insert(from, (shard, now + self.lifetime));
        }
        has_room
    }

    /// Removes the route of a five-tuple that belongs to this shard.
    pub(super) fn forget(&mut self, from: &FiveTuple) {
        self.by_client.remove(from);
    }
}

impl Server {
    /// The other shard that a request names, if its client has nothing here. DTLS sessions stay on
    /// their shard.
    pub(super) fn requested_shard(&self, from: &FiveTuple, message: &Message<'_>) -> Option<u8> {
        let shard =
            shard_requested_by(message).filter(|shard| self.config.sibling.has_other(*shard))?;
        (from.transport != Transport::Dtls && !self.has_allocation(from)).then_some(shard)
    }

    /// Forwards an authenticated message and all later datagrams of its five-tuple. The driver
    /// of a stream moves the whole stream instead.
    pub(super) fn forward_to_shard<'a>(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        shard: u8,
        message: &Message<'a>,
    ) -> Option<Forward<'a>> {
        if !from.transport.is_stream() && !self.shard_routes.insert(now, *from, shard) {
            self.counters.dropped_unexpected += 1;
            return None;
        }
        Some(to_shard(from, shard, message.as_bytes()))
    }

    /// Forwards a datagram that has no allocation here along its route, or counts it as dropped.
    pub(super) fn forward_by_route<'a>(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        match self.shard_routes.get(now, from) {
            Some(shard) => Some(to_shard(from, shard, datagram)),
            None => {
                self.counters.dropped_unexpected += 1;
                None
            }
        }
    }
}

fn to_shard<'a>(from: &FiveTuple, shard: u8, payload: &'a [u8]) -> Forward<'a> {
    let FiveTuple { client: source, server: to, .. } = *from;
    Forward::Shard(ToShard { shard, is_client: true, source, to, payload })
}
