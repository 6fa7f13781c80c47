//! Messages between shards, in batches over bounded queues: packets between relayed addresses of
//! different shards, packets that the kernel delivered to the wrong shard, and messages of the SFU
//! for rooms that span shards.
//!
//! A shard fills one batch per other shard, and sends it when it is full and before it sleeps. The
//! receiver recycles empty batches. If a queue is full, packets and media are dropped, as a network
//! would; other messages stay for the next batch.

use std::{net::SocketAddr, sync::Arc};

use crossbeam_queue::ArrayQueue;
use sfu::ShardMessage;
use turn::ToShard;

use super::waker::Waker;

/// Capacity of one batch, in bytes of payload and in packets.
const BATCH_BYTES: usize = 64 * 1024;
const BATCH_PACKETS: usize = 64;
/// Filled batches that wait for a shard.
const QUEUED_BATCHES: usize = 64;
/// Empty batches that wait for reuse.
const EMPTY_BATCHES: usize = 8;
/// Messages kept for a shard whose queue is full. Its rooms can't produce as many before the
/// watchdog gives the shard up.
const MAX_KEPT_MESSAGES: usize = 65_536;

/// Packets and messages for one shard.
#[derive(Default)]
pub(crate) struct Batch {
    bytes: Vec<u8>,
    packets: Vec<Packet>,
    messages: Vec<ShardMessage>,
}

/// The service that handles a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    /// For a relayed address, or from a TURN client.
    Turn,
    /// For an SFU peer, from its remote address to one of the port's.
    Sfu,
}

#[derive(Clone, Copy)]
struct Packet {
    service: Service,
    is_client: bool,
    source: SocketAddr,
    to: SocketAddr,
    len: usize,
}

impl Batch {
    fn has_room(&self, len: usize) -> bool {
        self.packets.len() + self.messages.len() < BATCH_PACKETS
            && self.bytes.len() + len <= BATCH_BYTES
    }

    fn is_empty(&self) -> bool {
        self.packets.is_empty() && self.messages.is_empty()
    }

    fn push(&mut self, service: Service, packet: &ToShard<'_>) {
        self.bytes.extend_from_slice(packet.payload);
        let len = packet.payload.len();
        let ToShard { is_client, source, to, .. } = *packet;
        self.packets.push(Packet { service, is_client, source, to, len });
    }

    /// Iterates over the packets, addressed to `shard`.
    pub(crate) fn packets(&self, shard: u8) -> impl Iterator<Item = (Service, ToShard<'_>)> {
        let mut rest = self.bytes.as_slice();
        self.packets.iter().map(move |packet| {
            let (payload, behind) = rest.split_at_checked(packet.len).unwrap_or_default();
            rest = behind;
            let Packet { service, is_client, source, to, .. } = *packet;
            (service, ToShard { shard, is_client, source, to, payload })
        })
    }

    /// Takes the messages of the other shard's SFU.
    pub(crate) fn take_messages(&mut self) -> impl Iterator<Item = ShardMessage> + '_ {
        self.messages.drain(..)
    }

    /// Discards packets and media. Returns the other messages, and the number of discarded ones.
    fn discard_media(&mut self) -> (Vec<ShardMessage>, usize) {
        let total = self.packets.len() + self.messages.len();
        let mut kept = std::mem::take(&mut self.messages);
        kept.retain(|message| !message.is_media());
        kept.truncate(MAX_KEPT_MESSAGES);
        self.clear();
        let discarded = total - kept.len();
        (kept, discarded)
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.packets.clear();
        self.messages.clear();
    }
}

/// The incoming batches of one shard.
pub(crate) struct Queue {
    filled: ArrayQueue<Batch>,
    empty: ArrayQueue<Batch>,
    waker: Arc<Waker>,
}

/// Creates a queue for each shard.
pub(super) fn queues(wakers: &[Arc<Waker>]) -> Arc<[Queue]> {
    let queue = |waker: &Arc<Waker>| Queue {
        filled: ArrayQueue::new(QUEUED_BATCHES),
        empty: ArrayQueue::new(EMPTY_BATCHES),
        waker: Arc::clone(waker),
    };
    wakers.iter().map(queue).collect()
}

/// One shard's connections to all others.
pub(crate) struct ShardLinks {
    own: usize,
    queues: Arc<[Queue]>,
    /// The batch being filled for each shard.
    filling: Vec<Batch>,
    /// Packets and media discarded because a queue was full.
    pub(crate) dropped: u64,
}

impl ShardLinks {
    pub(super) fn new(own: u8, queues: Arc<[Queue]>) -> Self {
        let filling = queues.iter().map(|_| Batch::default()).collect();
        Self { own: own.into(), queues, filling, dropped: 0 }
    }

    /// Adds a packet for the TURN service of another shard.
    pub(crate) fn push_turn(&mut self, packet: &ToShard<'_>) {
        self.push(Service::Turn, packet);
    }

    /// Adds a packet for the SFU service of another shard.
    pub(crate) fn push_sfu(
        &mut self,
        shard: u8,
        source: SocketAddr,
        to: SocketAddr,
        payload: &[u8],
    ) {
        let packet = ToShard { shard, is_client: false, source, to, payload };
        self.push(Service::Sfu, &packet);
    }

    /// Adds a message for the SFU of another shard.
    pub(crate) fn push_message(&mut self, message: ShardMessage) {
        if let Some(batch) = self.batch(message.to.into(), 0) {
            batch.messages.push(message);
        }
    }

    fn push(&mut self, service: Service, packet: &ToShard<'_>) {
        if let Some(batch) = self.batch(packet.shard.into(), packet.payload.len()) {
            batch.push(service, packet);
        }
    }

    /// The batch being filled for a shard, with room for `len` bytes.
    fn batch(&mut self, to: usize, len: usize) -> Option<&mut Batch> {
        if self.filling.get(to).is_some_and(|batch| !batch.has_room(len)) {
            self.send(to);
        }
        self.filling.get_mut(to)
    }

    /// Sends every batch that is not empty.
    pub(crate) fn flush(&mut self) {
        for to in 0..self.filling.len() {
            self.send(to);
        }
    }

    fn send(&mut self, to: usize) {
        let (Some(batch), Some(queue)) = (self.filling.get_mut(to), self.queues.get(to)) else {
            return;
        };
        if batch.is_empty() {
            return;
        }
        let next = queue.empty.pop().unwrap_or_default();
        if let Err(mut rejected) = queue.filled.push(std::mem::replace(batch, next)) {
            let (kept, discarded) = rejected.discard_media();
            batch.messages = kept;
            self.dropped += discarded as u64;
            let _ = queue.empty.push(rejected);
        }
        queue.waker.wake();
    }

    /// Counts the shards.
    pub(super) fn shards(&self) -> u8 {
        u8::try_from(self.queues.len()).unwrap_or(u8::MAX)
    }

    /// Takes the next batch for this shard.
    pub(crate) fn receive(&self) -> Option<Batch> {
        self.queues.get(self.own)?.filled.pop()
    }

    /// Returns a handled batch for reuse.
    pub(crate) fn recycle(&self, mut batch: Batch) {
        batch.clear();
        if let Some(own) = self.queues.get(self.own) {
            let _ = own.empty.push(batch);
        }
    }

    /// Returns true if a batch waits for this shard.
    pub(super) fn has_batch(&self) -> bool {
        self.queues.get(self.own).is_some_and(|own| !own.filled.is_empty())
    }

    /// This shard's own waker.
    pub(super) fn waker(&self) -> Option<&Waker> {
        self.queues.get(self.own).map(|own| &*own.waker)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The links of two shards.
    struct World {
        first: ShardLinks,
        second: ShardLinks,
        polls: Vec<mio::Poll>,
    }

    impl World {
        fn new() -> Self {
            let polls: Vec<_> = (0..2).map(|_| mio::Poll::new().unwrap()).collect();
            let waker = |poll| Arc::new(Waker::new(poll).unwrap());
            let queues = queues(&polls.iter().map(waker).collect::<Vec<_>>());
            let first = ShardLinks::new(0, Arc::clone(&queues));
            Self { first, second: ShardLinks::new(1, queues), polls }
        }
    }

    fn packet(payload: &[u8]) -> ToShard<'_> {
        let source = SocketAddr::from(([192, 0, 2, 1], 50_000));
        let to = SocketAddr::from(([192, 0, 2, 1], 60_000));
        ToShard { shard: 1, is_client: false, source, to, payload }
    }

    #[test]
    fn packets_arrive_whole_and_in_order() {
        let World { mut first, second, .. } = World::new();
        let sent: Vec<Vec<u8>> = (0..500_usize).map(|n| vec![n.to_le_bytes()[0]; n % 7]).collect();
        sent.iter().for_each(|payload| first.push_turn(&packet(payload)));
        first.flush();
        let mut received = Vec::new();
        while let Some(batch) = second.receive() {
            received.extend(batch.packets(1).map(|(_, packet)| packet.payload.to_vec()));
            second.recycle(batch);
        }
        assert_eq!(received, sent);
        assert!(!second.has_batch() && first.receive().is_none());
    }

    #[test]
    fn queue_of_a_stuck_shard_stays_bounded() {
        let World { mut first, second, .. } = World::new();
        let payload = [7; 1200];
        for _ in 0..10_000 {
            first.push_turn(&packet(&payload));
        }
        first.flush();
        let batches: Vec<_> = std::iter::from_fn(|| second.receive()).collect();
        assert_eq!(batches.len(), QUEUED_BATCHES);
        let kept: usize = batches.iter().map(|batch| batch.packets.len()).sum();
        assert_eq!(first.dropped, 10_000 - kept as u64);
        assert!(batches.iter().all(|batch| batch.bytes.len() <= BATCH_BYTES));
    }

    #[test]
    fn flush_wakes_a_sleeping_shard_once() {
        let World { mut first, second, mut polls } = World::new();
        let waker = second.waker().unwrap();
        waker.prepare_sleep();
        assert!(!second.has_batch());
        first.push_turn(&packet(b"asleep"));
        first.flush();
        let mut events = mio::Events::with_capacity(8);
        polls[1].poll(&mut events, None).unwrap();
        assert_eq!(events.iter().count(), 1);
        waker.awake();
        first.push_turn(&packet(b"awake"));
        first.flush();
        polls[1].poll(&mut events, Some(std::time::Duration::ZERO)).unwrap();
        assert_eq!(events.iter().count(), 0);
        assert!(second.has_batch());
    }
}
