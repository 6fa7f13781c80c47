//! CreatePermission (RFC 8656 §10).

use super::super::Server;
use super::{Granted, Proven, Refusal};
use crate::FiveTuple;
use crate::stun::Message;
use crate::stun::attribute::{self, Family, XOR_PEER_ADDRESS};
use std::time::Instant;

impl Server {
    /// RFC 8656 §10.2: all of the addresses, or none.
    pub(super) fn create_permission(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        let most = self.config.limits.permissions;
        let families = self.families(now, from, proven)?;
        let mut permitted = Vec::new();
        for (_, value) in message.attributes().filter(|(kind, _)| *kind == XOR_PEER_ADDRESS) {
            let peer = attribute::read_xor_address(value, &message.transaction())
                .ok_or(Refusal::BAD_REQUEST)?;
            let own_relays = self.judge(peer.ip(), |family| families.contains(&Some(family)))?;
            permitted.push((peer.ip(), own_relays));
        }
        if permitted.is_empty() {
            return Err(Refusal::BAD_REQUEST);
        }
        permitted.sort_unstable();
        permitted.dedup();
        let (_, made) = self.own(now, from, proven)?;
        if !made.peers.room_for(now, permitted.iter().map(|(ip, _)| ip), most) {
            return Err(Refusal::CAPACITY);
        }
        for (ip, own_relays) in permitted {
            made.peers.permit(now, ip, own_relays, most).map_err(|_| Refusal::CAPACITY)?;
        }
        Ok(Granted::Done)
    }

    /// The families of the client's relayed addresses.
    pub(super) fn families(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        proven: &Proven<'_>,
    ) -> Result<[Option<Family>; 2], Refusal> {
        let (_, made) = self.own(now, from, proven)?;
        let second = made.second.map(|(_, relayed)| Family::of(relayed.told.ip()));
        Ok([Some(Family::of(made.relayed.told.ip())), second])
    }
}
