//! From shard to shard: packets between relays on different ones, packets for peers that live on
//! another one than the kernel thought, and what parts of the media server have to say of rooms that
//! span shards, in parcels over bounded queues.
//!
//! A shard fills one parcel for each other shard and sends it off before it sleeps, or when it is
//! full. The other gives the empty parcel back. A queue that is full drops packets and media, as the
//! network would; anything else waits for the next parcel.

use std::{net::SocketAddr, sync::Arc};

use crossbeam_queue::ArrayQueue;
use sfu::ShardMessage;
use turn::ToShard;

use super::waker::Bell;

/// Bytes of one parcel, and packets.
const BYTES: usize = 64 * 1024;
const PACKETS: usize = 64;
/// Parcels that wait for a shard.
const WAITING: usize = 64;
/// Empty parcels that wait to be filled again.
const EMPTY: usize = 8;
/// What must not be lost and waits for a shard that takes nothing: more than all its rooms could have
/// to say before somebody would notice that it is dead.
const KEPT: usize = 65_536;

/// Packets for one shard.
#[derive(Default)]
pub(crate) struct Parcel {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
    relays: Vec<ShardMessage>,
}

/// Whose a packet is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tenant {
    /// For a relayed address, or of a relay's client.
    Relay,
    /// From an address for one of the port's, where a peer of the media server takes it.
    Media,
}

#[derive(Clone, Copy)]
struct Packet {
    tenant: Tenant,
    is_client: bool,
    source: SocketAddr,
    to: SocketAddr,
    len: usize,
}

impl Parcel {
    fn has_room(&self, len: usize) -> bool {
        self.packets.len() + self.relays.len() < PACKETS && self.bytes.len() + len <= BYTES
    }

    fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.relays.is_empty()
    }

    fn push(&mut self, tenant: Tenant, packet: &ToShard<'_>) {
        self.bytes.extend_from_slice(packet.payload);
        let len = packet.payload.len();
        let ToShard { is_client, source, to, .. } = *packet;
        self.packets.push(Packet { tenant, is_client, source, to, len });
    }

    /// What it holds and whose it is, as it was put in by a shard that called us `shard`.
    pub(crate) fn packets(&self, shard: u8) -> impl Iterator<Item = (Tenant, ToShard<'_>)> {
        let mut rest = self.bytes.as_slice();
        self.packets.iter().map(move |packet| {
            let (payload, behind) = rest.split_at_checked(packet.len).unwrap_or_default();
            rest = behind;
            let Packet { tenant, is_client, source, to, .. } = *packet;
            (tenant, ToShard { shard, is_client, source, to, payload })
        })
    }

    /// Takes out what the other part of the media server has to say.
    pub(crate) fn relays(&mut self) -> impl Iterator<Item = ShardMessage> + '_ {
        self.relays.drain(..)
    }

    /// Throws away what may be lost, and gives the rest and how many were lost.
    fn spoil(&mut self) -> (Vec<ShardMessage>, usize) {
        let (packets, relays) = (self.packets.len(), self.relays.len());
        let mut kept = std::mem::take(&mut self.relays);
        kept.retain(|relay| !relay.is_media());
        kept.truncate(KEPT);
        self.clear();
        let lost = packets + relays - kept.len();
        (kept, lost)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
        self.relays.clear();
    }
}

/// Where a shard's parcels wait.
pub(crate) struct Mailbox {
    waiting: ArrayQueue<Parcel>,
    empty: ArrayQueue<Parcel>,
    bell: Arc<Bell>,
}

/// A mailbox for each shard.
pub(super) fn boxes(bells: &[Arc<Bell>]) -> Arc<[Mailbox]> {
    let of = |bell: &Arc<Bell>| Mailbox {
        waiting: ArrayQueue::new(WAITING),
        empty: ArrayQueue::new(EMPTY),
        bell: Arc::clone(bell),
    };
    bells.iter().map(of).collect()
}

/// One shard's links to all others.
pub(crate) struct Links {
    own: usize,
    boxes: Arc<[Mailbox]>,
    /// The parcel under way to each.
    filling: Vec<Parcel>,
    /// Packets dropped, as the other had too many waiting.
    pub(crate) dropped: u64,
}

impl Links {
    pub(super) fn new(own: u8, boxes: Arc<[Mailbox]>) -> Self {
        let filling = boxes.iter().map(|_| Parcel::default()).collect();
        Self { own: own.into(), boxes, filling, dropped: 0 }
    }

    /// Puts a relay's packet into the parcel for its shard.
    pub(crate) fn push(&mut self, packet: &ToShard<'_>) {
        self.put(Tenant::Relay, packet);
    }

    /// Puts a packet for a peer of the media server into the parcel for its shard.
    pub(crate) fn push_media(
        &mut self,
        shard: u8,
        source: SocketAddr,
        to: SocketAddr,
        payload: &[u8],
    ) {
        let is_client = false;
        self.put(Tenant::Media, &ToShard { shard, is_client, source, to, payload });
    }

    /// Puts what a part of the media server has to say into the parcel for its shard.
    pub(crate) fn push_relay(&mut self, relay: ShardMessage) {
        if let Some(parcel) = self.parcel(relay.to.into(), 0) {
            parcel.relays.push(relay);
        }
    }

    fn put(&mut self, tenant: Tenant, packet: &ToShard<'_>) {
        if let Some(parcel) = self.parcel(packet.shard.into(), packet.payload.len()) {
            parcel.push(tenant, packet);
        }
    }

    /// The parcel for a shard, with room for so many bytes.
    fn parcel(&mut self, to: usize, len: usize) -> Option<&mut Parcel> {
        if self.filling.get(to).is_some_and(|it| !it.has_room(len)) {
            self.send(to);
        }
        self.filling.get_mut(to)
    }

    /// Sends all parcels off.
    pub(crate) fn flush(&mut self) {
        for to in 0..self.filling.len() {
            self.send(to);
        }
    }

    fn send(&mut self, to: usize) {
        let (Some(parcel), Some(mailbox)) = (self.filling.get_mut(to), self.boxes.get(to)) else {
            return;
        };
        if parcel.is_empty() {
            return;
        }
        let next = mailbox.empty.pop().unwrap_or_default();
        if let Err(mut returned) = mailbox.waiting.push(std::mem::replace(parcel, next)) {
            let (kept, lost) = returned.spoil();
            parcel.relays = kept;
            self.dropped += lost as u64;
            let _ = mailbox.empty.push(returned);
        }
        mailbox.bell.ring();
    }

    /// How many shards there are.
    pub(super) fn shards(&self) -> u8 {
        u8::try_from(self.boxes.len()).unwrap_or(u8::MAX)
    }

    /// Takes a parcel that has come.
    pub(crate) fn receive(&self) -> Option<Parcel> {
        self.boxes.get(self.own)?.waiting.pop()
    }

    /// Gives an opened parcel back.
    pub(crate) fn give_back(&self, mut parcel: Parcel) {
        parcel.clear();
        if let Some(own) = self.boxes.get(self.own) {
            let _ = own.empty.push(parcel);
        }
    }

    /// Whether a parcel has come.
    pub(super) fn has_mail(&self) -> bool {
        self.boxes.get(self.own).is_some_and(|own| !own.waiting.is_empty())
    }

    /// This shard's own bell.
    pub(super) fn bell(&self) -> Option<&Bell> {
        self.boxes.get(self.own).map(|own| &*own.bell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Links, Links, Vec<mio::Poll>) {
        let polls: Vec<_> = (0..2).map(|_| mio::Poll::new().unwrap()).collect();
        let bells: Vec<_> = polls.iter().map(|poll| Arc::new(Bell::new(poll).unwrap())).collect();
        let boxes = boxes(&bells);
        (Links::new(0, Arc::clone(&boxes)), Links::new(1, boxes), polls)
    }

    fn packet(payload: &[u8]) -> ToShard<'_> {
        let source = SocketAddr::from(([192, 0, 2, 1], 50_000));
        let to = SocketAddr::from(([192, 0, 2, 1], 60_000));
        ToShard { shard: 1, is_client: false, source, to, payload }
    }

    #[test]
    fn packets_arrive_whole_and_in_order() {
        let (mut from, to, _polls) = pair();
        let sent: Vec<Vec<u8>> = (0..500_usize).map(|n| vec![n.to_le_bytes()[0]; n % 7]).collect();
        sent.iter().for_each(|payload| from.push(&packet(payload)));
        from.flush();
        let mut got = Vec::new();
        while let Some(parcel) = to.receive() {
            got.extend(parcel.packets(1).map(|(_, packet)| packet.payload.to_vec()));
            to.give_back(parcel);
        }
        assert_eq!(got, sent);
        assert!(!to.has_mail() && from.receive().is_none());
    }

    #[test]
    fn a_shard_that_never_looks_costs_others_a_bounded_queue() {
        let (mut from, to, _polls) = pair();
        let payload = [7; 1200];
        for _ in 0..10_000 {
            from.push(&packet(&payload));
        }
        from.flush();
        let parcels: Vec<_> = std::iter::from_fn(|| to.receive()).collect();
        assert_eq!(parcels.len(), WAITING);
        let kept: usize = parcels.iter().map(|parcel| parcel.packets.len()).sum();
        assert_eq!(from.dropped, 10_000 - kept as u64);
        assert!(parcels.iter().all(|parcel| parcel.bytes.len() <= BYTES));
    }

    #[test]
    fn a_sleeping_shard_is_woken_once() {
        let (mut from, to, mut polls) = pair();
        let bell = to.bell().unwrap();
        bell.doze();
        assert!(!to.has_mail());
        from.push(&packet(b"up"));
        from.flush();
        let mut events = mio::Events::with_capacity(8);
        polls[1].poll(&mut events, None).unwrap();
        assert_eq!(events.iter().count(), 1);
        bell.rise();
        from.push(&packet(b"awake"));
        from.flush();
        polls[1].poll(&mut events, Some(std::time::Duration::ZERO)).unwrap();
        assert_eq!(events.iter().count(), 0);
        assert!(to.has_mail());
    }
}
