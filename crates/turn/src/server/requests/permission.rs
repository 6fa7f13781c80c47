//! CreatePermission (RFC 8656 §10).

use std::time::Instant;

use crate::{
    FiveTuple,
    credentials::Authenticated,
    server::{Server, rejection::Rejection, respond::Granted},
    stun::{
        Message,
        attribute::{self, Family, XOR_PEER_ADDRESS},
    },
};

impl Server {
    /// RFC 8656 §10.2. A request permits all of its addresses or none.
    pub(super) fn create_permission(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<Granted, Rejection> {
        let limit = self.config.limits.permissions;
        let families = self.families(now, from, user)?;
        let mut permitted = Vec::new();
        for (_, value) in message.attributes().filter(|(kind, _)| *kind == XOR_PEER_ADDRESS) {
            let peer = attribute::read_xor_address(value, &message.transaction())
                .ok_or(Rejection::BAD_REQUEST)?;
            let own_relays =
                self.check_peer(peer.ip(), |family| families.contains(&Some(family)))?;
            permitted.push((peer.ip(), own_relays));
        }
        if permitted.is_empty() {
            return Err(Rejection::BAD_REQUEST);
        }
        permitted.sort_unstable();
        permitted.dedup();
        let (_, allocation) = self.owned_allocation(now, from, user)?;
        if !allocation.peers.has_room_for(now, permitted.iter().map(|(ip, _)| ip), limit) {
            return Err(Rejection::CAPACITY);
        }
        for (ip, own_relays) in permitted {
            let permitted = allocation.peers.permit(now, ip, own_relays, limit);
            permitted.map_err(|_| Rejection::CAPACITY)?;
        }
        Ok(Granted::Empty)
    }

    /// The families of the client's relayed addresses.
    pub(super) fn families(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        user: &Authenticated<'_>,
    ) -> Result<[Option<Family>; 2], Rejection> {
        let (_, allocation) = self.owned_allocation(now, from, user)?;
        let second = allocation.second.map(|(_, relayed)| Family::of(relayed.advertised.ip()));
        Ok([Some(Family::of(allocation.relayed.advertised.ip())), second])
    }
}
