//! A shard's links to shards of other nodes, for rooms that span nodes: drives a
//! [`cascade::Endpoint`].
//!
//! A link is made when a room needs it, and closed after a minute without use. What arrives is
//! checked before the SFU gets it. A panic of a link's code, or at its bytes, costs that link, which
//! is made again. A panic of the endpoint that links share costs this shard all of them.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    io,
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use cascade::{Endpoint, Event, Media, Stats};
use sfu::{DecodeError, ShardMessage};

use super::{
    node_table::{NodeTable, is_remote, shard_number},
    random::random_bytes,
    unreached::Unreached,
};

/// Time after which links that rooms need are asked for again.
const WANT_INTERVAL: Duration = Duration::from_secs(1);
/// Time after which a link that is not there is said to be missing: longer than an attempt takes.
const MISSING_AFTER: Duration = Duration::from_secs(5);

/// Configuration of links to shards of other nodes.
#[derive(Clone)]
pub(crate) struct NodeConfig {
    pub(crate) client: Arc<rustls::ClientConfig>,
    pub(crate) server: Arc<rustls::ServerConfig>,
    /// The name in the certificate of each node.
    pub(crate) name: &'static str,
    /// The address to listen on. If this computer does not have it, on all.
    pub(crate) ip: IpAddr,
    pub(crate) unreached: Unreached,
}

/// Counters of a shard's links to other nodes, or the sum over all shards.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct NodeLinkCounters {
    /// Links now.
    pub(crate) links: usize,
    /// Links that rooms have needed for a while, and that are not there.
    pub(crate) missing: usize,
    /// Datagrams of media received, and what became of them.
    pub(crate) media: Stats,
    /// Bytes of media received, without the link's own.
    pub(crate) media_bytes: u64,
    /// Bytes of UDP payload received and sent.
    pub(crate) received_bytes: u64,
    pub(crate) sent_bytes: u64,
    /// Messages that can't be used.
    pub(crate) malformed: u64,
    /// Reports that more arrived than a path can carry.
    pub(crate) congested: u64,
    /// Links lost to a panic.
    pub(crate) panics: u64,
}

impl NodeLinkCounters {
    pub(super) fn add(&mut self, other: &Self) {
        self.links += other.links;
        self.missing += other.missing;
        self.media += other.media;
        self.media_bytes += other.media_bytes;
        self.received_bytes += other.received_bytes;
        self.sent_bytes += other.sent_bytes;
        self.malformed += other.malformed;
        self.congested += other.congested;
        self.panics += other.panics;
    }
}

/// An event of a link to a shard of another node.
pub(crate) enum NodeEvent {
    Connected(u16),
    Disconnected(u16),
    Congested(u16),
    Message(ShardMessage),
}

/// The links of one shard. Without a slot there are none.
pub(crate) struct NodeLinks {
    config: NodeConfig,
    index: u8,
    endpoint: Option<Endpoint>,
    table: Arc<NodeTable>,
    /// Shards that rooms need.
    wanted: BTreeSet<u16>,
    want_at: Instant,
    connected: BTreeSet<u16>,
    /// Shards that rooms need and that are not connected, since when.
    missing: BTreeMap<u16, Instant>,
    /// Shards whose links have ended with their endpoint.
    ended: VecDeque<u16>,
    /// Counters of earlier endpoints, and all others.
    counters: NodeLinkCounters,
    /// Scratch buffer of one message or transmit.
    bytes: Vec<u8>,
}

impl NodeLinks {
    pub(super) fn new(now: Instant, config: NodeConfig, index: u8) -> Self {
        Self {
            config,
            index,
            endpoint: None,
            table: Arc::default(),
            wanted: BTreeSet::new(),
            want_at: now,
            connected: BTreeSet::new(),
            missing: BTreeMap::new(),
            ended: VecDeque::new(),
            counters: NodeLinkCounters::default(),
            bytes: Vec::new(),
        }
    }

    /// Replaces the table of nodes. If this node has another slot, all links are closed and opened again.
    pub(super) fn set_table(&mut self, now: Instant, table: Arc<NodeTable>) {
        let is_renamed = self.table.own != table.own;
        self.table = table;
        if is_renamed {
            self.restart();
        }
        self.want_at = now;
    }

    /// Makes a link to a shard, for as long as rooms need it.
    pub(crate) fn want(&mut self, now: Instant, shard: u16) {
        self.wanted.insert(shard);
        self.ask(now, shard);
    }

    fn ask(&mut self, now: Instant, shard: u16) {
        if let Some(address) = self.table.address(shard) {
            self.guarded(|endpoint| endpoint.want(now, shard, address));
        }
    }

    /// Sends a message. Where there is no link it is lost, and both sides send all once there is.
    pub(super) fn send(&mut self, now: Instant, message: &ShardMessage) {
        let mut bytes = std::mem::take(&mut self.bytes);
        bytes.clear();
        message.encode(&mut bytes);
        let (is_audio, age) = (message.is_audio(), message.age(now));
        self.guarded(|endpoint| {
            if message.is_media() {
                endpoint.send_media(now, message.to, Media { is_audio, age, bytes: &bytes });
            } else {
                endpoint.send_message(now, message.to, &bytes);
            }
        });
        self.bytes = bytes;
    }

    /// Handles a datagram that arrived at the socket for other nodes.
    pub(super) fn handle_datagram(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        self.counters.received_bytes += datagram.len() as u64;
        self.guarded(|endpoint| endpoint.handle_datagram(now, from, None, datagram));
    }

    /// Returns the next event.
    pub(super) fn poll_event(&mut self, now: Instant) -> Option<NodeEvent> {
        if let Some(shard) = self.ended.pop_front() {
            return Some(NodeEvent::Disconnected(shard));
        }
        loop {
            let event = self.guarded(Endpoint::poll_event).flatten()?;
            // Numbers of this node's own shards, whose messages come by other ways.
            if !is_remote(event.shard()) {
                if matches!(event, Event::Connected { .. }) {
                    self.counters.malformed += 1;
                    self.guarded(|endpoint| endpoint.disconnect(now, event.shard()));
                }
                continue;
            }
            let (shard, bytes, age) = match event {
                Event::Connected { shard } => {
                    self.connected.insert(shard);
                    return Some(NodeEvent::Connected(shard));
                }
                Event::Disconnected { shard } => {
                    self.connected.remove(&shard);
                    return Some(NodeEvent::Disconnected(shard));
                }
                Event::Congested { shard } => {
                    self.counters.congested += 1;
                    return Some(NodeEvent::Congested(shard));
                }
                Event::Message { shard, bytes } => (shard, bytes, Duration::ZERO),
                Event::Media { shard, age, bytes } => {
                    self.counters.media_bytes += bytes.len() as u64;
                    (shard, bytes, age)
                }
            };
            let received_at = now.checked_sub(age).unwrap_or(now);
            let to = self.index.into();
            let decode = || ShardMessage::decode(&bytes, shard, to, received_at);
            match catch_unwind(AssertUnwindSafe(decode)) {
                Ok(Ok(message)) => return Some(NodeEvent::Message(message)),
                // Of a later version.
                Ok(Err(DecodeError::UnknownKind(_))) => {}
                Ok(Err(DecodeError::Malformed)) => self.counters.malformed += 1,
                Err(_) => {
                    self.counters.panics += 1;
                    self.guarded(|endpoint| endpoint.disconnect(now, shard));
                }
            }
        }
    }

    /// The time of the next [`Self::handle_timeout`].
    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let want = (!self.wanted.is_empty()).then_some(self.want_at);
        let endpoint = self.guarded(Endpoint::poll_timeout).flatten();
        want.into_iter().chain(endpoint).min()
    }

    /// Runs the timers that are due. `is_needed` tells whether a room needs a shard.
    pub(super) fn handle_timeout(&mut self, now: Instant, is_needed: impl Fn(u16) -> bool) {
        if self.want_at <= now {
            self.want_at = now + WANT_INTERVAL;
            self.wanted.retain(|shard| is_needed(*shard));
            for shard in self.wanted.clone() {
                self.ask(now, shard);
            }
            self.note_missing(now);
        }
        self.guarded(|endpoint| endpoint.handle_timeout(now));
    }

    /// Notes which links are missing, and tells of those that have been for a while.
    fn note_missing(&mut self, now: Instant) {
        let Self { missing, wanted, connected, table, config, index, endpoint, .. } = self;
        missing.retain(|shard, _| {
            // A node that the cluster lists no more is gone.
            let is_missing = wanted.contains(shard)
                && !connected.contains(shard)
                && table.address(*shard).is_some();
            if !is_missing {
                config.unreached.forget(*index, *shard);
            }
            is_missing
        });
        for shard in wanted.difference(connected) {
            let Some(address) = table.address(*shard) else { continue };
            let since = *missing.entry(*shard).or_insert(now);
            if now.saturating_duration_since(since) >= MISSING_AFTER {
                let failure = endpoint.as_ref().and_then(|endpoint| endpoint.failure(*shard));
                let reason = failure.map_or_else(
                    || "it has not connected, as it has to".to_owned(),
                    ToString::to_string,
                );
                config.unreached.note(*index, *shard, address, reason);
            }
        }
        let is_late = |since: &&Instant| now.saturating_duration_since(**since) >= MISSING_AFTER;
        self.counters.missing = self.missing.values().filter(is_late).count();
    }

    /// Hands out the datagrams to send.
    pub(super) fn transmit(&mut self, now: Instant, mut send: impl FnMut(SocketAddr, &[u8])) {
        let mut bytes = std::mem::take(&mut self.bytes);
        while let Some(run) =
            self.guarded(|endpoint| endpoint.poll_transmit(now, &mut bytes)).flatten()
        {
            self.counters.sent_bytes += bytes.len() as u64;
            bytes.chunks(run.segment).for_each(|datagram| send(run.to, datagram));
        }
        self.bytes = bytes;
    }

    /// Closes all links.
    pub(super) fn close(&mut self, now: Instant) {
        self.guarded(|endpoint| endpoint.close(now));
    }

    pub(super) fn counters(&self) -> NodeLinkCounters {
        let mut counters = self.counters;
        if let Some(endpoint) = &self.endpoint {
            counters.links = endpoint.links();
            counters.media += endpoint.stats();
            counters.panics += endpoint.panics();
        }
        counters
    }

    /// Calls the endpoint, if there is one. After a panic its state is unknown, so another follows.
    fn guarded<T>(&mut self, call: impl FnOnce(&mut Endpoint) -> T) -> Option<T> {
        let endpoint = self.endpoint.as_mut()?;
        let called = catch_unwind(AssertUnwindSafe(|| call(endpoint)));
        if called.is_err() {
            self.counters.panics += self.connected.len().max(1) as u64 + endpoint.panics();
            let broken = self.endpoint.take();
            // Its destructor may panic, too.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(broken)));
            self.restart();
        }
        called.ok()
    }

    fn restart(&mut self) {
        if let Some(endpoint) = self.endpoint.take() {
            self.counters.media += endpoint.stats();
            self.counters.panics += endpoint.panics();
        }
        self.ended.extend(std::mem::take(&mut self.connected));
        let Some(slot) = self.table.own else { return };
        match self.endpoint(slot) {
            Ok(endpoint) => self.endpoint = Some(endpoint),
            Err(error) => tracing::error!(%error, "no media between nodes"),
        }
    }

    fn endpoint(&self, slot: u16) -> io::Result<Endpoint> {
        let NodeConfig { client, server, name, .. } = &self.config;
        let (client, server) = (client.as_ref().clone(), server.as_ref().clone());
        let own = shard_number(slot, self.index);
        let config = cascade::Config::new(client, server, name, own, random_bytes()?);
        let config = config.map_err(io::Error::other)?;
        #[cfg(debug_assertions)]
        let config = match crate::faults::are_planted() {
            true => config.panicking_at(crate::faults::NODE_LINK_PANIC),
            false => config,
        };
        Ok(Endpoint::new(config))
    }
}
