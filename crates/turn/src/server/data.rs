//! The packet path: one look-up for the client or none for the socket, one for the peer, no copy.

use super::{
    Forward, Head, RelayId, Server, ToClient, ToMedia, ToPeer, ToSibling, channel_padding,
};
use crate::policy::is_service;
use crate::stun::attribute::{DATA, DONT_FRAGMENT, XOR_PEER_ADDRESS};
use crate::stun::{Message, TransactionId};
use crate::{FiveTuple, channel};
use rand::RngExt as _;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// Where a client's data goes.
#[derive(Clone, Copy)]
struct Toward {
    /// The client's allocation.
    from: RelayId,
    peer: SocketAddr,
    /// The peer is this machine's: only as one of our own relayed addresses it is a peer.
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
        let found = self.allocations.of_client(from).filter(|(_, found)| found.expires > now);
        let found =
            found.and_then(|(relay, found)| Some((relay, found.peers.channel(now, number)?)));
        let Some((relay, channel)) = found else { return self.pass_on(now, from, message) };
        if !channel.permission.holds(now) {
            self.counters.dropped_unpermitted += 1;
            return None;
        }
        let (peer, own_relays) = (channel.peer, channel.permission.own_relays);
        let toward = Toward { from: relay, peer, own_relays, dont_fragment: false };
        self.relay_to_peer(now, toward, payload)
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
        let found = found.filter(|(_, found)| found.expires > now && !found.is_tcp());
        let Some((relay, allocation)) = found else {
            return self.pass_on(now, from, message.as_bytes());
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
        let toward = Toward { from: relay, peer, own_relays, dont_fragment };
        self.relay_to_peer(now, toward, payload)
    }

    /// To a permitted peer: over the network, or at once where the peer is a relay of ours.
    fn relay_to_peer<'a>(
        &'a mut self,
        now: Instant,
        toward: Toward,
        payload: &'a [u8],
    ) -> Option<Forward<'a>> {
        let Toward { from, peer, own_relays, dont_fragment } = toward;
        let made = self.allocations.get(from)?;
        let (relay, source) = made.toward(from, peer.ip())?;
        let holders = made.holders;
        if !self.allocations.accounts.admit(now, holders, payload.len()) {
            self.counters.dropped_bandwidth += 1;
            return None;
        }
        let ours = self.config.ports.contains(&peer.port()) && self.allocations.on(peer.ip());
        let target = if ours { self.allocations.at(&peer) } else { None };
        if let Some(target) = target {
            return self.relay_to_client(now, target, source, payload, true);
        }
        if let Some(sibling) = self.sibling_at(&peer) {
            return Some(Forward::Sibling(ToSibling {
                sibling,
                is_client: false,
                source,
                to: peer,
                payload,
            }));
        }
        if self.is_media(&peer) {
            self.counters.from_clients += 1;
            self.counters.handed_over += 1;
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

    /// The sibling that has a relayed address.
    #[inline]
    pub(super) fn sibling_at(&self, peer: &SocketAddr) -> Option<u8> {
        let sibling = self.config.sibling.with_open(peer.port())?;
        self.is_here(peer.ip()).then_some(sibling)
    }

    /// Whether the media server of this machine takes datagrams there.
    pub(super) fn is_media(&self, peer: &SocketAddr) -> bool {
        self.config.media.contains(&peer.port()) && self.is_here(peer.ip())
    }

    fn is_here(&self, ip: IpAddr) -> bool {
        self.policy.is_own(ip) || self.allocations.on(ip)
    }

    /// Which server has a relayed address, where the media server is about to send to it: its own
    /// index where it is this one.
    pub(super) fn relay_at(&self, to: &SocketAddr) -> Option<u8> {
        let own = self.config.ports.contains(&to.port()) && self.allocations.at(to).is_some();
        if own { Some(self.config.sibling.index()) } else { self.sibling_at(to) }
    }

    /// What a sibling's client sent to one of ours.
    pub(super) fn handed_over<'a>(
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

    /// A datagram that came to a relayed socket (RFC 8656 §10.3).
    pub(super) fn relayed_datagram<'a>(
        &'a mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        payload: &'a [u8],
    ) -> Option<Forward<'a>> {
        self.relay_to_client(now, relay, peer, payload, false)
    }

    /// To a relay's client, as ChannelData where the peer has a channel, else as a Data
    /// indication. What was handed over in here may come from our own addresses; what comes over
    /// the network claiming to is not a relay of ours, and is held to `own_relays`.
    fn relay_to_client<'a>(
        &'a mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        payload: &'a [u8],
        handed_over: bool,
    ) -> Option<Forward<'a>> {
        let found = self.allocations.owner(relay);
        let found = found.filter(|found| found.expires > now && !found.is_tcp());
        let (Some(allocation), Ok(len)) = (found, u16::try_from(payload.len())) else {
            self.counters.dropped_unexpected += 1;
            return None;
        };
        let (to, holders) = (allocation.client, allocation.holders);
        let channel = allocation.peers.channel_to(now, &peer);
        let permission = match channel {
            Some(channel) => Some(&channel.permission).filter(|permission| permission.holds(now)),
            None => allocation.peers.permission(now, &peer.ip()),
        };
        if permission.is_none_or(|permission| permission.own_relays && !handed_over) {
            self.counters.dropped_unpermitted += 1;
            return None;
        }
        let (head, padding) = match channel {
            Some(channel) => (
                Head::channel_data(channel.number, len),
                channel_padding(to.transport, payload.len()),
            ),
            None => {
                let transaction = TransactionId(self.rng.random());
                let head = Head::data_indication(transaction, peer, len)?;
                (head, payload.len().next_multiple_of(4) - payload.len())
            }
        };
        if !self.allocations.accounts.admit(now, holders, payload.len()) {
            self.counters.dropped_bandwidth += 1;
            return None;
        }
        if handed_over {
            self.counters.from_clients += 1;
            self.counters.handed_over += 1;
        } else {
            self.counters.from_peers += 1;
        }
        self.counters.relayed_bytes += u64::from(len);
        Some(Forward::Client(ToClient { to, head, payload, padding }))
    }
}
