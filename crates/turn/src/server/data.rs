//! The packet path: at most one lookup for the client, one for the peer, and no copy.

use std::{
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use rand::RngExt as _;

use super::{
    Server,
    forward::{Forward, Header, ToClient, ToMedia, ToPeer, ToShard, channel_padding},
    relay_id::RelayId,
};
use crate::{
    FiveTuple, channel,
    policy::is_service,
    stun::{
        Message, TransactionId,
        attribute::{DATA, DONT_FRAGMENT, XOR_PEER_ADDRESS},
    },
};

/// The destination of a client's data.
#[derive(Clone, Copy)]
struct PeerRoute {
    /// The client's allocation.
    from: RelayId,
    peer: SocketAddr,
    /// The address is this machine's: only our own relayed addresses on it are peers.
    own_relays: bool,
    dont_fragment: bool,
}

impl Server {
    /// ChannelData from a client (RFC 8656 §12.6).
    pub(super) fn channel_data<'a>(
        &'a mut self,
        now: Instant,
        from: &FiveTuple,
        message: &'a [u8],
    ) -> Option<Forward<'a>> {
        let Some((number, payload)) = channel::read(message) else {
            self.counters.dropped_malformed += 1;
            return None;
        };
        let found = self.allocations.of_client(from);
        let found = found.filter(|(_, allocation)| allocation.expires > now);
        let found = found
            .and_then(|(relay, allocation)| Some((relay, allocation.peers.channel(now, number)?)));
        let Some((relay, channel)) = found else {
            return self.forward_by_route(now, from, message);
        };
        if !channel.permission.is_live(now) {
            self.counters.dropped_unpermitted += 1;
            return None;
        }
        let route = PeerRoute {
            from: relay,
            peer: channel.peer,
            own_relays: channel.permission.own_relays,
            dont_fragment: false,
        };
        self.relay_to_peer(now, route, payload)
    }

    /// A Send indication (RFC 8656 §11.2).
    pub(super) fn send<'a>(
        &'a mut self,
        now: Instant,
        from: &FiveTuple,
        message: &Message<'a>,
    ) -> Option<Forward<'a>> {
        const KNOWN: &[u16] = &[XOR_PEER_ADDRESS, DATA, DONT_FRAGMENT];
        let peer = message.xor_address(XOR_PEER_ADDRESS);
        let (Some(peer), Some(payload), None) =
            (peer, message.attribute(DATA), message.unknown(KNOWN).next())
        else {
            self.counters.dropped_malformed += 1;
            return None;
        };
        let found = self.allocations.of_client(from);
        let found =
            found.filter(|(_, allocation)| allocation.expires > now && !allocation.is_tcp());
        let Some((relay, allocation)) = found else {
            return self.forward_by_route(now, from, message.as_bytes());
        };
        let Some(permission) = allocation.peers.permission(now, &peer.ip()) else {
            self.counters.dropped_unpermitted += 1;
            return None;
        };
        let own_relays = permission.own_relays;
        if allocation.is_member && !own_relays && is_service(peer.port()) {
            self.counters.dropped_unpermitted += 1;
            return None;
        }
        let dont_fragment = message.attribute(DONT_FRAGMENT).is_some();
        if dont_fragment && !self.config.dont_fragment {
            self.counters.dropped_malformed += 1;
            return None;
        }
        let route = PeerRoute { from: relay, peer, own_relays, dont_fragment };
        self.relay_to_peer(now, route, payload)
    }

    /// Relays data to a permitted peer: over the network, or directly where the peer is a relayed
    /// address or the media server of this machine.
    fn relay_to_peer<'a>(
        &'a mut self,
        now: Instant,
        route: PeerRoute,
        payload: &'a [u8],
    ) -> Option<Forward<'a>> {
        let PeerRoute { from, peer, own_relays, dont_fragment } = route;
        let allocation = self.allocations.get(from)?;
        let (relay, source) = allocation.relayed_for(from, peer.ip())?;
        let holders = allocation.holders;
        if !self.allocations.accounts.admit(now, holders, payload.len()) {
            self.counters.dropped_bandwidth += 1;
            return None;
        }
        let ours = self.config.ports.contains(&peer.port()) && self.allocations.on(peer.ip());
        let target = if ours { self.allocations.at(&peer) } else { None };
        if let Some(target) = target {
            return self.relay_to_client(now, target, source, payload, true);
        }
        if let Some(shard) = self.shard_at(&peer) {
            return Some(Forward::Shard(ToShard {
                shard,
                is_client: false,
                source,
                to: peer,
                payload,
            }));
        }
        if self.is_media(&peer) {
            self.counters.from_clients += 1;
            self.counters.hairpinned += 1;
            self.counters.relayed_bytes += payload.len() as u64;
            return Some(Forward::Media(ToMedia { source, to: peer, payload }));
        }
        if own_relays {
            self.counters.dropped_own += 1;
            return None;
        }
        self.counters.from_clients += 1;
        self.counters.relayed_bytes += payload.len() as u64;
        Some(Forward::Peer(ToPeer { relay, to: peer, dont_fragment, payload }))
    }

    /// The other shard that has this relayed address.
    #[inline]
    pub(super) fn shard_at(&self, peer: &SocketAddr) -> Option<u8> {
        let shard = self.config.sibling.owner_of_open(peer.port())?;
        self.is_here(peer.ip()).then_some(shard)
    }

    /// Returns whether the media server of this machine receives datagrams at this address.
    pub(super) fn is_media(&self, peer: &SocketAddr) -> bool {
        self.config.media.contains(&peer.port()) && self.is_here(peer.ip())
    }

    fn is_here(&self, ip: IpAddr) -> bool {
        self.policy.is_own(ip) || self.allocations.on(ip)
    }

    /// The shard that has this relayed address, this one included.
    pub(super) fn shard_of_relay(&self, to: &SocketAddr) -> Option<u8> {
        let own = self.config.ports.contains(&to.port()) && self.allocations.at(to).is_some();
        if own { Some(self.config.sibling.index()) } else { self.shard_at(to) }
    }

    /// Data from a client of another shard for a relayed address of this one.
    pub(super) fn forwarded_data<'a>(
        &'a mut self,
        now: Instant,
        source: SocketAddr,
        to: &SocketAddr,
        payload: &'a [u8],
    ) -> Option<Forward<'a>> {
        let Some(target) = self.allocations.at(to) else {
            self.counters.dropped_own += 1;
            return None;
        };
        self.relay_to_client(now, target, source, payload, true)
    }

    /// A datagram that arrived at a relayed socket (RFC 8656 §11.3).
    pub(super) fn relayed_datagram<'a>(
        &'a mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        payload: &'a [u8],
    ) -> Option<Forward<'a>> {
        self.relay_to_client(now, relay, peer, payload, false)
    }

    /// Relays data to the client of a relay: as ChannelData where the peer has a channel, else as a
    /// Data indication. Only hairpinned data may come from our own addresses: a datagram from the
    /// network that claims so is spoofed.
    fn relay_to_client<'a>(
        &'a mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        payload: &'a [u8],
        hairpinned: bool,
    ) -> Option<Forward<'a>> {
        let found = self.allocations.owner(relay);
        let found = found.filter(|allocation| allocation.expires > now && !allocation.is_tcp());
        let (Some(allocation), Ok(len)) = (found, u16::try_from(payload.len())) else {
            self.counters.dropped_unexpected += 1;
            return None;
        };
        let to = allocation.client;
        let holders = allocation.holders;
        let channel = allocation.peers.channel_to(now, &peer);
        let permission = match channel {
            Some(channel) => Some(&channel.permission).filter(|permission| permission.is_live(now)),
            None => allocation.peers.permission(now, &peer.ip()),
        };
        if permission.is_none_or(|permission| permission.own_relays && !hairpinned) {
            self.counters.dropped_unpermitted += 1;
            return None;
        }
        let (header, padding) = match channel {
            Some(channel) => (
                Header::channel_data(channel.number, len),
                channel_padding(to.transport, payload.len()),
            ),
            None => {
                let transaction = TransactionId(self.rng.random());
                let header = Header::data_indication(transaction, peer, len)?;
                (header, payload.len().next_multiple_of(4) - payload.len())
            }
        };
        if !self.allocations.accounts.admit(now, holders, payload.len()) {
            self.counters.dropped_bandwidth += 1;
            return None;
        }
        if hairpinned {
            self.counters.from_clients += 1;
            self.counters.hairpinned += 1;
        } else {
            self.counters.from_peers += 1;
        }
        self.counters.relayed_bytes += u64::from(len);
        Some(Forward::Client(ToClient { to, header, payload, padding }))
    }
}
