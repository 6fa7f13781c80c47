//! The network between shards of different servers: messages in their wire form, media with what
//! repair could not mend.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    time::{Duration, Instant},
};

use sfu::ShardMessage;

/// Real links between servers, over the world's network.
pub(crate) trait Links {
    fn send(&mut self, now: Instant, message: &ShardMessage);
    /// Handles a datagram that is for no shard and no client.
    fn handle_datagram(&mut self, now: Instant, datagram: &testnet::Datagram);
    fn poll_timeout(&mut self) -> Option<Instant>;
    fn handle_timeout(&mut self, now: Instant);
    fn poll_event(&mut self, now: Instant) -> Option<WanEvent>;
    /// Datagrams to send, with source and destination.
    fn transmit(&mut self, now: Instant) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)>;
}

/// An event for a shard.
#[allow(dead_code, reason = "real links are in tests of crates/cascade")]
pub(crate) enum WanEvent {
    Message(ShardMessage),
    /// A shard, and the one that it is linked to.
    Connected(u16, u16),
    Disconnected(u16, u16),
    Congested(u16, u16),
}

/// Links between servers. Shards of one server are linked directly.
pub(crate) struct Wan {
    /// Real links, in place of simulated ones.
    pub(crate) links: Option<Box<dyn Links>>,
    random: u64,
    /// Shards of each server. If empty, all shards are of one server.
    pub(crate) servers: Vec<Vec<u16>>,
    pub(crate) delay: Duration,
    /// Of a thousand packets of media, those that are lost.
    pub(crate) lost_permille: u64,
    /// Pairs of shards whose link is broken.
    pub(crate) broken: BTreeSet<(u16, u16)>,
    queue: BTreeMap<(Instant, u64), Sent>,
    count: u64,
    /// Packets of media by sender and receiver, also within a server.
    pub(crate) media: BTreeMap<(u16, u16), usize>,
    /// Encodings by sender and receiver, between servers.
    pub(crate) rids: BTreeMap<(u16, u16), BTreeSet<String>>,
}

struct Sent {
    from: u16,
    to: u16,
    age: Duration,
    bytes: Vec<u8>,
}

impl Wan {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            links: None,
            random: seed,
            servers: Vec::new(),
            delay: Duration::from_millis(20),
            lost_permille: 0,
            broken: BTreeSet::new(),
            queue: BTreeMap::new(),
            count: 0,
            media: BTreeMap::new(),
            rids: BTreeMap::new(),
        }
    }

    /// Sends a message. Returns it if it is for a shard of the same server.
    pub(crate) fn send(&mut self, now: Instant, message: ShardMessage) -> Option<ShardMessage> {
        let (from, to) = (message.from, message.to);
        if message.is_media() {
            *self.media.entry((from, to)).or_default() += 1;
        }
        let server = |shard: u16| self.servers.iter().position(|shards| shards.contains(&shard));
        if server(from) == server(to) {
            return Some(message);
        }
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        if message.is_media() {
            self.rids.entry((from, to)).or_default().extend(rid(&bytes));
        }
        if let Some(links) = &mut self.links {
            links.send(now, &message);
            return None;
        }
        // The generator of MMIX.
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        let is_lost = message.is_media() && (self.random >> 33) % 1000 < self.lost_permille;
        if !is_lost && !self.broken.contains(&(from, to)) {
            self.count += 1;
            let age = message.age(now);
            self.queue.insert((now + self.delay, self.count), Sent { from, to, age, bytes });
        }
        None
    }

    pub(crate) fn due(&mut self) -> Option<Instant> {
        let links = self.links.as_mut().and_then(|links| links.poll_timeout());
        let queue = self.queue.first_key_value().map(|((due, _), _)| *due);
        links.into_iter().chain(queue).min()
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if let Some(links) = &mut self.links
            && links.poll_timeout().is_some_and(|due| due <= now)
        {
            links.handle_timeout(now);
        }
    }

    pub(crate) fn handle_datagram(&mut self, now: Instant, datagram: &testnet::Datagram) {
        if let Some(links) = &mut self.links {
            links.handle_datagram(now, datagram);
        }
    }

    pub(crate) fn transmit(&mut self, now: Instant) -> Vec<(SocketAddr, SocketAddr, Vec<u8>)> {
        self.links.as_mut().map(|links| links.transmit(now)).unwrap_or_default()
    }

    /// The next event.
    pub(crate) fn poll_event(&mut self, now: Instant) -> Option<WanEvent> {
        if let Some(links) = &mut self.links {
            return links.poll_event(now);
        }
        let entry = self.queue.first_entry().filter(|entry| entry.key().0 <= now)?;
        let Sent { from, to, age, bytes } = entry.remove();
        let received_at = now - self.delay - age;
        Some(WanEvent::Message(ShardMessage::decode(&bytes, from, to, received_at).unwrap()))
    }

    /// Forgets what was counted, and what is under way on broken links.
    pub(crate) fn clear(&mut self) {
        self.media.clear();
        self.rids.clear();
    }

    /// Cuts or mends the links between two shards.
    pub(crate) fn set_broken(&mut self, one: u16, other: u16, is_broken: bool) {
        for pair in [(one, other), (other, one)] {
            if is_broken {
                self.broken.insert(pair);
            } else {
                self.broken.remove(&pair);
            }
        }
        let broken = &self.broken;
        self.queue.retain(|_, sent| !broken.contains(&(sent.from, sent.to)));
    }

    pub(crate) fn packets(&self, from: u16, to: u16) -> usize {
        self.media.get(&(from, to)).copied().unwrap_or_default()
    }

    pub(crate) fn rids(&self, from: u16, to: u16) -> Vec<&str> {
        let rids = self.rids.get(&(from, to));
        rids.into_iter().flatten().map(String::as_str).collect()
    }
}

/// The rid in the wire form of media.
fn rid(bytes: &[u8]) -> Option<String> {
    let has_rid = bytes[1] & 0x40 != 0;
    let name = bytes[21..].split_first().filter(|_| has_rid);
    name.map(|(len, rest)| String::from_utf8(rest[..usize::from(*len)].to_vec()).unwrap())
}
