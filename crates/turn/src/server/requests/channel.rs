//! ChannelBind (RFC 8656 §12).

use super::super::Server;
use super::super::peers::NotBound;
use super::{Granted, Proven, Refusal};
use crate::FiveTuple;
use crate::channel::ChannelNumber;
use crate::policy::is_service;
use crate::stun::Message;
use crate::stun::attribute::{CHANNEL_NUMBER, XOR_PEER_ADDRESS};
use std::time::Instant;

impl Server {
    /// RFC 8656 §12.2
    pub(super) fn channel_bind(
        &mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'_>,
        proven: &Proven<'_>,
    ) -> Result<Granted, Refusal> {
        let most = (self.config.limits.channels, self.config.limits.permissions);
        if self.own(now, from, proven)?.1.is_tcp() {
            return Err(Refusal::FORBIDDEN);
        }
        let families = self.families(now, from, proven)?;
        let number = match message.attribute(CHANNEL_NUMBER) {
            Some(&[high, low, _, _]) => ChannelNumber::new(u16::from_be_bytes([high, low])),
            _ => None,
        };
        let (Some(number), Some(peer)) = (number, message.xor_address(XOR_PEER_ADDRESS)) else {
            return Err(Refusal::BAD_REQUEST);
        };
        let own_relays = self.judge(peer.ip(), |family| families.contains(&Some(family)))?;
        if peer.port() == 0 {
            return Err(Refusal::BAD_REQUEST);
        }
        let is_ours = || {
            let relay = self.allocations.at(&peer).is_some() || self.sibling_at(&peer).is_some();
            relay || self.is_media(&peer)
        };
        if own_relays && !is_ours() {
            return Err(Refusal::FORBIDDEN);
        }
        if proven.is_member && !own_relays && is_service(peer.port()) {
            return Err(Refusal::FORBIDDEN);
        }
        let (_, made) = self.own(now, from, proven)?;
        match made.peers.bind(now, number, peer, own_relays, most) {
            Ok(()) => Ok(Granted::Done),
            Err(NotBound::Taken) => Err(Refusal::BAD_REQUEST),
            Err(NotBound::Full) => Err(Refusal::CAPACITY),
        }
    }
}
