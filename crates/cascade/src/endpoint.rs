//! The links of one shard.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::BytesMut;
use quinn_proto::{
    AckFrequencyConfig, ClientConfig, Connection, ConnectionHandle, DatagramEvent, EndpointConfig,
    EndpointEvent, Incoming, ServerConfig, TransportConfig, VarInt,
    crypto::rustls::{NoInitialCipherSuite, QuicClientConfig, QuicServerConfig},
};

use crate::{
    failure::{CloseReason, Failure},
    link::{Event, Link, Media, Progress, Stats},
    unlimited::Unlimited,
};

/// Name and version of the protocol (ALPN, RFC 7301).
const PROTOCOL: &[u8] = b"moim-media/1";
/// Time after which a link that nobody uses is closed.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(60);
/// Silence after which the other side is taken for dead.
const SILENCE_TIMEOUT_MS: u32 = 3000;
/// Interval of packets that prove the contrary.
const KEEP_ALIVE: Duration = Duration::from_millis(500);
/// Packets that one acknowledgement covers.
const ACK_EVERY: u32 = 32;
/// Bytes of media that wait to be transmitted, or to be handled.
const MAX_DATAGRAM_BYTES: usize = 4 << 20;
/// Most links, and connections that are no links yet.
const MAX_LINKS: usize = 1024;
/// Pauses between attempts to connect.
const MIN_BACKOFF: Duration = Duration::from_millis(100);
const MAX_BACKOFF: Duration = Duration::from_secs(2);
/// Datagrams of one transmit.
const MAX_SEGMENTS: usize = 32;

/// Configuration of an [`Endpoint`].
#[derive(Clone)]
pub struct Config {
    client: ClientConfig,
    server: Arc<ServerConfig>,
    server_name: String,
    own: u16,
    seed: [u8; 32],
    #[cfg(debug_assertions)]
    panics_at: Option<&'static [u8]>,
}

/// TLS that QUIC can't use.
#[derive(Debug, thiserror::Error)]
#[error("QUIC needs TLS 1.3 with AES-128-GCM")]
pub struct ConfigError(#[from] NoInitialCipherSuite);

impl Config {
    /// The endpoint of shard `own`. `client` and `server` show a certificate and demand one of
    /// the other side, which has the name `server_name`.
    ///
    /// # Errors
    ///
    /// QUIC can't use the TLS configuration.
    pub fn new(
        mut client: rustls::ClientConfig,
        mut server: rustls::ServerConfig,
        server_name: &str,
        own: u16,
        seed: [u8; 32],
    ) -> Result<Self, ConfigError> {
        client.alpn_protocols = vec![PROTOCOL.to_vec()];
        server.alpn_protocols = vec![PROTOCOL.to_vec()];
        let transport = Arc::new(transport());
        let mut client = ClientConfig::new(Arc::new(QuicClientConfig::try_from(client)?));
        client.transport_config(Arc::clone(&transport));
        let mut server = ServerConfig::with_crypto(Arc::new(QuicServerConfig::try_from(server)?));
        server.transport_config(transport).max_incoming(MAX_LINKS);
        Ok(Self {
            client,
            server: Arc::new(server),
            server_name: server_name.to_owned(),
            own,
            seed,
            #[cfg(debug_assertions)]
            panics_at: None,
        })
    }

    /// Has each link panic at a message or media of these bytes, for tests. Absent from release
    /// builds.
    #[cfg(debug_assertions)]
    #[must_use]
    pub fn panicking_at(self, bytes: &'static [u8]) -> Self {
        Self { panics_at: Some(bytes), ..self }
    }
}

fn transport() -> TransportConfig {
    let mut acks = AckFrequencyConfig::default();
    acks.ack_eliciting_threshold(VarInt::from_u32(ACK_EVERY));
    let mut transport = TransportConfig::default();
    transport
        .congestion_controller_factory(Arc::new(Unlimited::default()))
        .max_idle_timeout(Some(VarInt::from_u32(SILENCE_TIMEOUT_MS).into()))
        .keep_alive_interval(Some(KEEP_ALIVE))
        .ack_frequency_config(Some(acks))
        .datagram_send_buffer_size(MAX_DATAGRAM_BYTES)
        .datagram_receive_buffer_size(Some(MAX_DATAGRAM_BYTES))
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(0));
    transport
}

/// Datagrams to send to one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transmit {
    /// Destination address.
    pub to: SocketAddr,
    /// Size of each datagram but the last, which may be shorter. Never zero.
    pub segment: usize,
}

/// A link that this side makes.
struct Wanted {
    address: SocketAddr,
    asked_at: Instant,
    /// The connection, from the attempt on.
    handle: Option<ConnectionHandle>,
    next_attempt: Instant,
    backoff: Duration,
    /// The reason for which the last attempt, or the last link, has ended.
    failure: Option<Failure>,
}

/// The links of one shard. The [crate's documentation](crate) states its contract.
pub struct Endpoint {
    config: Config,
    quic: quinn_proto::Endpoint,
    links: HashMap<ConnectionHandle, Link>,
    by_shard: HashMap<u16, ConnectionHandle>,
    wanted: BTreeMap<u16, Wanted>,
    /// Links that may have something to transmit.
    queue: VecDeque<ConnectionHandle>,
    /// Answers without a link.
    responses: VecDeque<(Transmit, Vec<u8>)>,
    events: VecDeque<Event>,
    /// Counters of links that have ended.
    past: Stats,
    panics: u64,
}

impl Endpoint {
    /// An endpoint without links.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let quic = quinn_proto::Endpoint::new(
            Arc::new(EndpointConfig::default()),
            Some(Arc::clone(&config.server)),
            true,
            Some(config.seed),
        );
        Self {
            config,
            quic,
            links: HashMap::new(),
            by_shard: HashMap::new(),
            wanted: BTreeMap::new(),
            queue: VecDeque::new(),
            responses: VecDeque::new(),
            events: VecDeque::new(),
            past: Stats::default(),
            panics: 0,
        }
    }

    /// Asks for a link to a shard, and keeps it for [`IDLE_TIMEOUT`]. Only the shard with the lower
    /// number connects.
    pub fn want(&mut self, now: Instant, shard: u16, address: SocketAddr) {
        if shard <= self.config.own {
            return;
        }
        let wanted = self.wanted.entry(shard).or_insert_with(|| Wanted {
            address,
            asked_at: now,
            handle: None,
            next_attempt: now,
            backoff: MIN_BACKOFF,
            failure: None,
        });
        (wanted.address, wanted.asked_at) = (address, now);
        self.connect_wanted(now);
    }

    /// Returns whether there is a link to a shard.
    #[must_use]
    pub fn is_connected(&self, shard: u16) -> bool {
        self.by_shard.contains_key(&shard)
    }

    /// The reason for which the last link to a shard that this side connects to has ended, or was
    /// not made; `None` if there was none, or if the other side connects.
    #[must_use]
    pub fn failure(&self, shard: u16) -> Option<&Failure> {
        self.wanted.get(&shard)?.failure.as_ref()
    }

    /// Number of links.
    #[must_use]
    pub fn links(&self) -> usize {
        self.by_shard.len()
    }

    /// Counters of all links so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut stats = self.past;
        self.links.values().for_each(|link| stats += link.stats());
        stats
    }

    /// Links that were lost to a panic of their code.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics
    }

    /// Sends a message, if there is a link.
    pub fn send_message(&mut self, now: Instant, shard: u16, message: &[u8]) {
        if let Some(handle) = self.by_shard.get(&shard).copied() {
            self.guarded(now, handle, |link| link.send_message(now, message));
            self.advance(now, handle);
        }
    }

    /// Sends media, if there is a link.
    pub fn send_media(&mut self, now: Instant, shard: u16, media: Media<'_>) {
        if let Some(handle) = self.by_shard.get(&shard).copied() {
            let is_closed = self.guarded(now, handle, |link| link.send_media(now, media));
            match is_closed {
                Some(true) => self.advance(now, handle),
                _ => self.enqueue(handle),
            }
        }
    }

    /// Closes the link to a shard that sends what no shard would. It may be made again.
    pub fn disconnect(&mut self, now: Instant, shard: u16) {
        if let Some(handle) = self.by_shard.get(&shard).copied() {
            self.guarded(now, handle, |link| link.close(now, CloseReason::Protocol));
            self.advance(now, handle);
        }
    }

    /// Calls the code of a link. A panic costs this link alone: the code has no access to others,
    /// nor to the endpoint that they share.
    fn guarded<T>(
        &mut self,
        now: Instant,
        handle: ConnectionHandle,
        call: impl FnOnce(&mut Link) -> T,
    ) -> Option<T> {
        let link = self.links.get_mut(&handle)?;
        let called = catch_unwind(AssertUnwindSafe(|| call(link)));
        if called.is_err() {
            self.panics += 1;
            self.on_closed(now, handle);
            self.remove(handle);
            self.quic.handle_event(handle, EndpointEvent::drained());
        }
        called.ok()
    }

    fn remove(&mut self, handle: ConnectionHandle) {
        if let Some(link) = self.links.remove(&handle) {
            self.past += link.stats();
            // After a panic its destructor may panic, too.
            let _ = catch_unwind(AssertUnwindSafe(|| drop(link)));
        }
    }

    fn enqueue(&mut self, handle: ConnectionHandle) {
        if let Some(link) = self.links.get_mut(&handle)
            && !std::mem::replace(&mut link.is_queued, true)
        {
            self.queue.push_back(handle);
        }
    }

    /// Handles a datagram that arrived at `local`, if known.
    pub fn handle_datagram(
        &mut self,
        now: Instant,
        from: SocketAddr,
        local: Option<IpAddr>,
        bytes: &[u8],
    ) {
        let mut response = Vec::new();
        let bytes = BytesMut::from(bytes);
        match self.quic.handle(now, from, local, None, bytes, &mut response) {
            Some(DatagramEvent::ConnectionEvent(handle, event)) => {
                self.guarded(now, handle, |link| link.connection.handle_event(event));
                self.advance(now, handle);
            }
            Some(DatagramEvent::NewConnection(incoming)) => self.accept(now, incoming),
            Some(DatagramEvent::Response(transmit)) => self.respond(&transmit, response),
            None => {}
        }
    }

    fn accept(&mut self, now: Instant, incoming: Incoming) {
        let mut response = Vec::new();
        // Nothing is kept for an address that has not proven itself.
        if !incoming.remote_address_validated() && incoming.may_retry() {
            if let Ok(transmit) = self.quic.retry(incoming, &mut response) {
                self.respond(&transmit, response);
            }
            return;
        }
        if self.links.len() >= MAX_LINKS {
            let transmit = self.quic.refuse(incoming, &mut response);
            return self.respond(&transmit, response);
        }
        match self.quic.accept(incoming, now, &mut response, None) {
            Ok((handle, connection)) => {
                self.insert(now, handle, connection, None);
                self.advance(now, handle);
            }
            Err(error) => {
                if let Some(transmit) = error.response {
                    self.respond(&transmit, response);
                }
            }
        }
    }

    fn insert(
        &mut self,
        now: Instant,
        handle: ConnectionHandle,
        connection: Connection,
        called: Option<u16>,
    ) {
        let link = Link::new(now, connection, self.config.own, called);
        #[cfg(debug_assertions)]
        let link = link.panicking_at(self.config.panics_at);
        self.links.insert(handle, link);
    }

    fn respond(&mut self, transmit: &quinn_proto::Transmit, mut bytes: Vec<u8>) {
        bytes.truncate(transmit.size);
        if self.responses.len() < MAX_LINKS && !bytes.is_empty() {
            let transmit = Transmit { to: transmit.destination, segment: bytes.len() };
            self.responses.push_back((transmit, bytes));
        }
    }

    /// Attempts to connect where it is due.
    fn connect_wanted(&mut self, now: Instant) {
        self.wanted.retain(|_, wanted| {
            let is_asked = now.saturating_duration_since(wanted.asked_at) < IDLE_TIMEOUT;
            is_asked || wanted.handle.is_some()
        });
        let mut connected = Vec::new();
        for (shard, wanted) in &mut self.wanted {
            if wanted.handle.is_some() || wanted.next_attempt > now {
                continue;
            }
            wanted.next_attempt = now + wanted.backoff;
            wanted.backoff = (wanted.backoff * 2).min(MAX_BACKOFF);
            let config = self.config.client.clone();
            let name = &self.config.server_name;
            if let Ok((handle, connection)) = self.quic.connect(now, config, wanted.address, name) {
                wanted.handle = Some(handle);
                connected.push((handle, connection, *shard));
            }
        }
        for (handle, connection, shard) in connected {
            self.insert(now, handle, connection, Some(shard));
            self.advance(now, handle);
        }
    }

    /// Handles the events of a link after any change.
    fn advance(&mut self, now: Instant, handle: ConnectionHandle) {
        let mut opened = VecDeque::new();
        match self.guarded(now, handle, |link| link.advance(now, &mut opened)) {
            Some(Progress::Opened(shard)) => self.on_opened(now, shard, handle),
            // All that it brought is void.
            Some(Progress::Closed) => {
                opened.clear();
                self.on_closed(now, handle);
            }
            Some(Progress::None) => {}
            None => return,
        }
        self.events.append(&mut opened);
        while let Some(event) =
            self.guarded(now, handle, |link| link.connection.poll_endpoint_events()).flatten()
        {
            if let Some(event) = self.quic.handle_event(handle, event) {
                self.guarded(now, handle, |link| link.connection.handle_event(event));
            }
        }
        if self.links.get(&handle).is_some_and(|link| link.connection.is_drained()) {
            self.on_closed(now, handle);
            return self.remove(handle);
        }
        self.enqueue(handle);
    }

    fn on_opened(&mut self, now: Instant, shard: u16, handle: ConnectionHandle) {
        if let Some(wanted) = self.wanted.get_mut(&shard) {
            wanted.backoff = MIN_BACKOFF;
        }
        // The other side has connected again: it has lost the former link.
        if let Some(former) = self.by_shard.insert(shard, handle).filter(|former| *former != handle)
        {
            self.on_disconnected(shard);
            self.guarded(now, former, |link| link.close(now, CloseReason::Replaced));
            self.enqueue(former);
        }
    }

    /// Tells of the end of a link. What it brought before is void.
    fn on_disconnected(&mut self, shard: u16) {
        self.events.retain(|event| event.shard() != shard);
        self.events.push_back(Event::Disconnected { shard });
    }

    fn on_closed(&mut self, now: Instant, handle: ConnectionHandle) {
        let Some(link) = self.links.get_mut(&handle) else { return };
        let (shard, called, failure) = (link.shard, link.called, link.failure.take());
        if let Some(shard) = shard
            && self.by_shard.get(&shard) == Some(&handle)
        {
            self.by_shard.remove(&shard);
            self.on_disconnected(shard);
        }
        if let Some(wanted) = called.and_then(|called| self.wanted.get_mut(&called))
            && wanted.handle == Some(handle)
        {
            wanted.handle = None;
            wanted.next_attempt = wanted.next_attempt.max(now);
            wanted.failure = failure;
        }
    }

    /// Time of the next [`handle_timeout`](Self::handle_timeout).
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let links = self.links.values_mut().filter_map(Link::poll_timeout);
        let attempts = self.wanted.values().map(|wanted| match wanted.handle {
            None => wanted.next_attempt.min(wanted.asked_at + IDLE_TIMEOUT),
            Some(_) => wanted.asked_at + IDLE_TIMEOUT,
        });
        links.chain(attempts).min()
    }

    /// Runs the timers that are due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.close_idle(now);
        self.connect_wanted(now);
        let is_due = |(handle, link): (&ConnectionHandle, &mut Link)| {
            link.poll_timeout().is_some_and(|due| due <= now).then_some(*handle)
        };
        let due: Vec<_> = self.links.iter_mut().filter_map(is_due).collect();
        for handle in due {
            self.guarded(now, handle, |link| link.handle_timeout(now));
            self.advance(now, handle);
        }
    }

    /// Closes the links that this side has made and that nobody uses.
    fn close_idle(&mut self, now: Instant) {
        let mut idle = Vec::new();
        for wanted in self.wanted.values_mut() {
            let Some(handle) = wanted.handle else { continue };
            if now.saturating_duration_since(wanted.asked_at) < IDLE_TIMEOUT {
                continue;
            }
            let Some(link) = self.links.get(&handle) else { continue };
            // In use, though nobody has asked for it lately.
            if now.saturating_duration_since(link.used_at) < IDLE_TIMEOUT {
                wanted.asked_at = link.used_at;
                continue;
            }
            idle.push(handle);
        }
        for handle in idle {
            self.guarded(now, handle, |link| link.close(now, CloseReason::Idle));
            self.on_closed(now, handle);
            self.advance(now, handle);
        }
    }

    /// Closes all links. What [`poll_transmit`](Self::poll_transmit) returns tells the other sides.
    pub fn close(&mut self, now: Instant) {
        self.wanted.clear();
        let handles: Vec<_> = self.links.keys().copied().collect();
        for handle in handles {
            self.guarded(now, handle, |link| link.close(now, CloseReason::Idle));
            self.on_closed(now, handle);
            self.enqueue(handle);
        }
    }

    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Writes the next datagrams to `out`, which it clears.
    pub fn poll_transmit(&mut self, now: Instant, out: &mut Vec<u8>) -> Option<Transmit> {
        out.clear();
        if let Some((transmit, bytes)) = self.responses.pop_front() {
            out.extend(bytes);
            return Some(transmit);
        }
        while let Some(handle) = self.queue.front().copied() {
            let transmit = self.guarded(now, handle, |link| {
                let transmit = link.connection.poll_transmit(now, MAX_SEGMENTS, out);
                link.is_queued = transmit.is_some();
                transmit
            });
            if let Some(transmit) = transmit.flatten() {
                out.truncate(transmit.size);
                let segment = transmit.segment_size.unwrap_or(transmit.size).max(1);
                return Some(Transmit { to: transmit.destination, segment });
            }
            out.clear();
            self.queue.pop_front();
        }
        None
    }
}
