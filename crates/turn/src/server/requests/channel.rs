//! ChannelBind (RFC 8656 §12).

use std::time::Instant;

use crate::{
    FiveTuple,
    channel::ChannelNumber,
    credentials::Authenticated,
    policy::is_service,
    server::{
        Server,
        peers::{BindChannelError, PeerLimits},
        rejection::Rejection,
        respond::Granted,
    },
    stun::{
        Message,
        attribute::{CHANNEL_NUMBER, XOR_PEER_ADDRESS},
    },
};

impl Server {
    /// RFC 8656 §12.2
    pub(super) fn channel_bind(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        user: &Authenticated<'_>,
    ) -> Result<Granted, Rejection> {
        let limits = PeerLimits::from(&self.config.limits);
        if self.owned_allocation(now, from, user)?.1.is_tcp() {
            return Err(Rejection::FORBIDDEN);
        }
        let families = self.families(now, from, user)?;
        let number = match message.attribute(CHANNEL_NUMBER) {
            Some(&[high, low, _, _]) => ChannelNumber::new(u16::from_be_bytes([high, low])),
            _ => None,
        };
        let (Some(number), Some(peer)) = (number, message.xor_address(XOR_PEER_ADDRESS)) else {
            return Err(Rejection::BAD_REQUEST);
        };
        let own_relays = self.check_peer(peer.ip(), |family| families.contains(&Some(family)))?;
        if peer.port() == 0 {
            return Err(Rejection::BAD_REQUEST);
        }
        let is_ours = || {
            let relay = self.allocations.at(&peer).is_some() || self.shard_at(&peer).is_some();
            relay || self.is_media(&peer)
        };
        if own_relays && !is_ours() {
            return Err(Rejection::FORBIDDEN);
        }
        if user.is_member && !own_relays && is_service(peer.port()) {
            return Err(Rejection::FORBIDDEN);
        }
        let (_, allocation) = self.owned_allocation(now, from, user)?;
        match allocation.peers.bind(now, number, peer, own_relays, limits) {
            Ok(()) => Ok(Granted::Empty),
            Err(BindChannelError::Conflict) => Err(Rejection::BAD_REQUEST),
            Err(BindChannelError::Full) => Err(Rejection::CAPACITY),
        }
    }
}
