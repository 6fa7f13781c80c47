//! A node that has a certificate and sends what no node sends. It harms its own link alone.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{
    collections::VecDeque,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use cascade::{
    Endpoint, Event, MAX_MESSAGE, Media,
    datagram::{Datagram, Gap, Header, MAX_GAPS, Part},
};
use quinn_proto::{
    ClientConfig, Connection, ConnectionHandle, DatagramEvent, Dir, EndpointConfig, StreamId,
    TransportConfig, VarInt, WriteError, crypto::rustls::QuicClientConfig,
};
use rand::{Rng, RngExt, SeedableRng, rngs::StdRng};
use testnet::Clock;

use common::{Authority, NAME};

const SECOND: Duration = Duration::from_secs(1);
/// The node under test, a node that behaves, and one that does not.
const VICTIM: u16 = 128;
const HONEST: u16 = 0;
const ROGUE: u16 = 64;
/// A message on which links of the node under test panic.
const PLANTED: &[u8] = b"planted";

fn address(shard: u16) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, 1 + shard.to_be_bytes()[1]], 4000))
}

/// QUIC alone: it sends whatever a test writes, and reads nothing.
struct Rogue {
    endpoint: quinn_proto::Endpoint,
    handle: ConnectionHandle,
    connection: Connection,
    stream: Option<StreamId>,
}

impl Rogue {
    fn new(now: Instant, authority: &Authority) -> Self {
        let (mut tls, _) = authority.tls();
        tls.alpn_protocols = vec![b"moim-media/1".to_vec()];
        let mut config = ClientConfig::new(Arc::new(QuicClientConfig::try_from(tls).unwrap()));
        let mut transport = TransportConfig::default();
        transport
            .keep_alive_interval(Some(SECOND / 2))
            .datagram_send_buffer_size(64 << 20)
            .stream_receive_window(VarInt::from_u32(10_000));
        config.transport_config(Arc::new(transport));
        let mut endpoint = quinn_proto::Endpoint::new(
            Arc::new(EndpointConfig::default()),
            None,
            true,
            Some([7; 32]),
        );
        let (handle, connection) = endpoint.connect(now, config, address(VICTIM), NAME).unwrap();
        Self { endpoint, handle, connection, stream: None }
    }

    /// Writes to the stream, which it opens. Returns false if the connection has ended.
    fn write(&mut self, bytes: &[u8]) -> bool {
        let streams = &mut self.stream;
        let stream = streams.or_else(|| self.connection.streams().open(Dir::Bi));
        *streams = stream;
        let Some(stream) = stream else { return false };
        match self.connection.send_stream(stream).write(bytes) {
            Ok(count) => count == bytes.len(),
            Err(WriteError::Blocked) => true,
            Err(_) => false,
        }
    }

    fn message(&mut self, bytes: &[u8]) -> bool {
        let length = u16::try_from(bytes.len()).unwrap().to_be_bytes();
        self.write(&[&length[..], bytes].concat())
    }

    fn greet(&mut self) {
        let [a, b] = ROGUE.to_be_bytes();
        let [c, d] = VICTIM.to_be_bytes();
        assert!(self.message(&[1, a, b, c, d]));
    }

    fn datagram(&mut self, bytes: Vec<u8>) {
        // Longer ones than the path takes are refused here.
        let _ = self.connection.datagrams().send(Bytes::from(bytes), true);
    }
}

/// A network without delay.
struct World {
    clock: Clock,
    authority: Authority,
    victim: Endpoint,
    honest: Endpoint,
    rogue: Option<Rogue>,
    /// Nothing reaches the rogue, so that it acknowledges nothing.
    is_deaf: bool,
    events: Vec<Event>,
    honest_events: Vec<Event>,
    /// Datagrams under way: receiver, sender and bytes.
    wire: VecDeque<(SocketAddr, SocketAddr, Vec<u8>)>,
}

impl World {
    /// The node under test with a link to the one that behaves.
    fn new() -> Self {
        let authority = Authority::new();
        let config = authority.config(VICTIM);
        let config = config.panicking_at(PLANTED);
        let mut world = Self {
            clock: Clock::new(),
            victim: Endpoint::new(config),
            honest: authority.endpoint(HONEST),
            authority,
            rogue: None,
            is_deaf: false,
            events: Vec::new(),
            honest_events: Vec::new(),
            wire: VecDeque::new(),
        };
        world.honest.want(world.clock.now(), VICTIM, address(VICTIM));
        world.run(SECOND);
        assert!(world.victim.is_connected(HONEST));
        world
    }

    /// The same with the connection of a rogue that has not greeted.
    fn with_rogue() -> Self {
        let mut world = Self::new();
        world.connect();
        world
    }

    /// The same, and it has greeted.
    fn with_link() -> Self {
        let mut world = Self::with_rogue();
        world.rogue().greet();
        world.run(SECOND);
        assert!(world.victim.is_connected(ROGUE));
        world.events.clear();
        world
    }

    fn connect(&mut self) {
        self.rogue = Some(Rogue::new(self.clock.now(), &self.authority));
        self.run(SECOND);
        assert!(!self.rogue().connection.is_handshaking() && !self.rogue().connection.is_closed());
    }

    fn rogue(&mut self) -> &mut Rogue {
        self.rogue.as_mut().unwrap()
    }

    fn drain(&mut self) {
        let now = self.clock.now();
        self.events.extend(std::iter::from_fn(|| self.victim.poll_event()));
        self.honest_events.extend(std::iter::from_fn(|| self.honest.poll_event()));
        for (shard, endpoint) in [(VICTIM, &mut self.victim), (HONEST, &mut self.honest)] {
            let mut bytes = Vec::new();
            while let Some(transmit) = endpoint.poll_transmit(now, &mut bytes) {
                for datagram in bytes.chunks(transmit.segment) {
                    self.wire.push_back((transmit.to, address(shard), datagram.to_vec()));
                }
            }
        }
        let Some(Rogue { endpoint, handle, connection, .. }) = &mut self.rogue else { return };
        while connection.poll().is_some() {}
        while let Some(event) = connection.poll_endpoint_events() {
            if let Some(event) = endpoint.handle_event(*handle, event) {
                connection.handle_event(event);
            }
        }
        let mut bytes = Vec::new();
        while let Some(transmit) = connection.poll_transmit(now, 1, &mut bytes) {
            let datagram = bytes[..transmit.size].to_vec();
            self.wire.push_back((transmit.destination, address(ROGUE), datagram));
            bytes.clear();
        }
    }

    /// Delivers until nothing is under way.
    fn deliver(&mut self) {
        self.drain();
        while let Some((to, from, datagram)) = self.wire.pop_front() {
            let now = self.clock.now();
            if to == address(VICTIM) {
                self.victim.handle_datagram(now, from, None, &datagram);
            } else if to == address(HONEST) {
                self.honest.handle_datagram(now, from, None, &datagram);
            } else if let Some(rogue) = &mut self.rogue
                && !self.is_deaf
            {
                let mut response = Vec::new();
                let datagram = BytesMut::from(&datagram[..]);
                let event = rogue.endpoint.handle(now, from, None, None, datagram, &mut response);
                if let Some(DatagramEvent::ConnectionEvent(_, event)) = event {
                    rogue.connection.handle_event(event);
                }
            }
            self.drain();
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        self.deliver();
        while self.clock.now() < end {
            let rogue = self.rogue.as_mut().and_then(|rogue| rogue.connection.poll_timeout());
            let due = [self.victim.poll_timeout(), self.honest.poll_timeout(), rogue, Some(end)];
            let due = due.into_iter().flatten().min().unwrap();
            let passed = due.saturating_duration_since(self.clock.now());
            // Timers in the past are due now.
            self.clock.advance(passed.max(Duration::from_micros(1)));
            let now = self.clock.now();
            self.victim.handle_timeout(now);
            self.honest.handle_timeout(now);
            if let Some(rogue) = &mut self.rogue
                && rogue.connection.poll_timeout().is_some_and(|due| due <= now)
            {
                rogue.connection.handle_timeout(now);
            }
            self.deliver();
        }
    }

    /// The link to the node that behaves was never interrupted, and carries what it should.
    fn assert_honest_link_works(&mut self) {
        self.honest_events.clear();
        self.events.clear();
        let now = self.clock.now();
        let media = Media { is_audio: true, age: Duration::ZERO, bytes: b"frame" };
        self.honest.send_message(now, VICTIM, b"interest");
        self.honest.send_media(now, VICTIM, media);
        self.victim.send_message(now, HONEST, b"published");
        self.run(SECOND);
        let message = Event::Message { shard: HONEST, bytes: b"interest"[..].into() };
        assert!(self.events.contains(&message), "{:?}", self.events);
        let is_frame = |event: &Event| matches!(event, Event::Media { shard: HONEST, .. });
        assert!(self.events.iter().any(is_frame), "{:?}", self.events);
        let message = Event::Message { shard: VICTIM, bytes: b"published"[..].into() };
        assert_eq!(self.honest_events, [message]);
    }
}

fn random_bytes(random: &mut StdRng, longest: usize) -> Vec<u8> {
    let length = random.random_range(0..=longest);
    let mut bytes = vec![0; length];
    random.fill_bytes(&mut bytes);
    bytes
}

/// A datagram of any kind, whose fields are anything, perhaps cut or with bits flipped.
fn random_datagram(random: &mut StdRng) -> Vec<u8> {
    let mut near = || match random.random_range(0..4) {
        0 => random.random(),
        1 => u32::MAX - random.random_range(0..20),
        _ => random.random_range(0..20_000),
    };
    let (number, sent, age) = (near(), near(), near());
    let payload = random_bytes(random, 40);
    let part = [Part::Whole, Part::First, Part::Second][random.random_range(0..3)];
    let header = Header { part, is_resent: random.random(), number, sent, age };
    let gaps = random.random_range(1..=MAX_GAPS);
    let mut bytes = match random.random_range(0..5) {
        0 => Datagram::Newest(number).to_bytes(),
        1 => {
            let gap = |_| Gap { first: random.random_range(0..50), following: random.random() };
            Datagram::Request((0..gaps).map(gap).collect()).to_bytes()
        }
        2 => random_bytes(random, 100),
        _ => Datagram::Media(header, &payload).to_bytes(),
    };
    match random.random_range(0..4) {
        0 => bytes.truncate(random.random_range(0..=bytes.len())),
        1 if !bytes.is_empty() => {
            let at = random.random_range(0..bytes.len());
            bytes[at] ^= 1 << random.random_range(0..8);
        }
        _ => {}
    }
    bytes
}

#[test]
fn any_datagrams_harm_nothing_and_are_counted() {
    for seed in 0..20 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::with_link();
        for number in 0..2000 {
            let datagram = random_datagram(&mut random);
            world.rogue().datagram(datagram);
            // There is something that it may ask for.
            let now = world.clock.now();
            let media = Media { is_audio: number % 2 == 0, age: Duration::ZERO, bytes: &[5; 900] };
            world.victim.send_media(now, ROGUE, media);
            if number % 10 == 0 {
                world.run(Duration::from_millis(random.random_range(0..20)));
            }
        }
        world.run(SECOND);
        assert!(world.victim.is_connected(ROGUE), "seed {seed}");
        let stats = world.victim.stats();
        assert!(stats.malformed > 50 && stats.received > 50, "seed {seed}: {stats:?}");
        // Each of 2000 at most three times.
        assert!(stats.resent <= 8000, "seed {seed}: {stats:?}");
        assert_eq!(world.victim.panics(), 0);
        world.assert_honest_link_works();
    }
}

#[test]
fn any_bytes_on_the_stream_end_the_link_or_are_messages() {
    let (mut ended, mut messages) = (0, 0);
    for seed in 0..200 {
        let mut random = StdRng::seed_from_u64(seed);
        let mut world = World::with_link();
        for _ in 0..20 {
            let bytes = random_bytes(&mut random, 3000);
            let is_open = match random.random_range(0..20) {
                0 => world.rogue().write(&bytes),
                _ => world.rogue().message(&bytes),
            };
            world.run(Duration::from_millis(10));
            if !is_open {
                break;
            }
        }
        let end = Event::Disconnected { shard: ROGUE };
        if !world.victim.is_connected(ROGUE) {
            ended += 1;
            assert_eq!(world.events.last(), Some(&end), "seed {seed}: nothing follows");
        }
        let is_message = |event: &&Event| matches!(event, Event::Message { shard: ROGUE, .. });
        messages += world.events.iter().filter(is_message).count();
        assert_eq!(world.victim.panics(), 0);
        world.assert_honest_link_works();
    }
    assert!(ended > 20 && messages > 500, "{ended} links ended, {messages} messages");
}

#[test]
fn length_that_is_too_long_ends_the_link_and_voids_what_came_with_it() {
    let mut world = World::with_link();
    let longer = u16::try_from(MAX_MESSAGE + 1).unwrap().to_be_bytes();
    // Both in one packet.
    world.rogue().message(b"published");
    world.rogue().write(&longer);
    world.run(SECOND);
    assert_eq!(world.events, [Event::Disconnected { shard: ROGUE }]);
    world.assert_honest_link_works();
}

#[test]
fn stream_that_ends_ends_the_link() {
    for is_reset in [false, true] {
        let mut world = World::with_link();
        let stream = world.rogue().stream.unwrap();
        let mut stream = world.rogue.as_mut().unwrap().connection.send_stream(stream);
        if is_reset {
            stream.reset(VarInt::from_u32(0)).unwrap();
        } else {
            stream.finish().unwrap();
        }
        world.run(SECOND);
        assert_eq!(world.events, [Event::Disconnected { shard: ROGUE }], "reset: {is_reset}");
        assert!(world.rogue().connection.is_closed());
    }
}

#[test]
fn stream_that_is_no_longer_read_ends_the_link() {
    let mut world = World::with_link();
    let stream = world.rogue().stream.unwrap();
    world.rogue().connection.recv_stream(stream).stop(VarInt::from_u32(0)).unwrap();
    world.run(SECOND);
    let now = world.clock.now();
    world.victim.send_message(now, ROGUE, b"published");
    world.run(SECOND);
    assert_eq!(world.events, [Event::Disconnected { shard: ROGUE }]);
}

#[test]
fn connection_without_a_greeting_is_closed() {
    for greeting in [&[][..], &[0, 5, 1, 0]] {
        let mut world = World::with_rogue();
        world.rogue().write(greeting);
        // It is there, and says nothing.
        world.run(8 * SECOND);
        assert!(!world.rogue().connection.is_closed());
        world.run(4 * SECOND);
        assert!(world.rogue().connection.is_closed());
        assert_eq!(world.victim.links(), 1, "the honest one");
        world.assert_honest_link_works();
    }
}

#[test]
fn greetings_that_no_shard_sends_end_the_connection() {
    let [a, b] = VICTIM.to_be_bytes();
    let greetings: [&[u8]; 5] =
        [&[], &[2, 0, 64, a, b], &[1, 0, 64, 0, 1], &[1, 0, 200, a, b], &[1, 0, 64, a]];
    for greeting in greetings {
        let mut world = World::with_rogue();
        world.rogue().message(greeting);
        world.events.clear();
        world.run(SECOND);
        assert!(world.rogue().connection.is_closed(), "{greeting:?}");
        assert_eq!(world.events, []);
        world.assert_honest_link_works();
    }
}

#[test]
fn node_that_does_not_read_loses_its_link_before_much_waits_for_it() {
    let mut world = World::with_link();
    let mut sent = 0;
    while world.victim.is_connected(ROGUE) {
        let now = world.clock.now();
        world.victim.send_message(now, ROGUE, &[3; MAX_MESSAGE]);
        world.deliver();
        sent += MAX_MESSAGE;
        assert!(sent < 2 << 20, "{sent} bytes wait");
    }
    assert!(sent > 1 << 20, "{sent}");
    assert_eq!(world.events, [Event::Disconnected { shard: ROGUE }]);
    world.assert_honest_link_works();
}

#[test]
fn node_that_acknowledges_nothing_loses_its_link_though_it_goes_on_sending() {
    let mut world = World::with_link();
    world.is_deaf = true;
    let begin = world.clock.now();
    for turn in 0.. {
        world.clock.advance(Duration::from_millis(5));
        let now = world.clock.now();
        assert!(now < begin + 8 * SECOND, "QUIC keeps {turn} packets");
        let media = Media { is_audio: false, age: Duration::ZERO, bytes: &[9; 1000] };
        world.victim.send_media(now, ROGUE, media);
        if !world.victim.is_connected(ROGUE) {
            break;
        }
        if turn % 50 == 0 {
            world.rogue().connection.ping();
        }
        world.victim.handle_timeout(now);
        world.honest.handle_timeout(now);
        world.deliver();
    }
    assert!(world.clock.now() > begin + 3 * SECOND + SECOND / 2, "longer than a silent node");
    world.deliver();
    assert_eq!(world.events, [Event::Disconnected { shard: ROGUE }]);
    world.assert_honest_link_works();
}

#[test]
fn flood_of_messages_is_as_much_as_its_window_and_harms_no_other_link() {
    let mut world = World::with_link();
    let mut written = 0;
    // Without a turn for the other side.
    while written < 8 << 20 {
        let stream = world.rogue().stream.unwrap();
        let connection = &mut world.rogue.as_mut().unwrap().connection;
        let messages = [0, 1, b'x'].repeat(10_000);
        match connection.send_stream(stream).write(&messages) {
            Ok(count) if count == messages.len() => written += count,
            _ => break,
        }
    }
    assert!(written < 4 << 20, "{written} bytes without a turn");
    world.assert_honest_link_works();
    assert!(world.victim.is_connected(ROGUE));
}

#[test]
fn panic_of_a_links_code_ends_that_link_alone() {
    for is_media in [false, true] {
        let mut world = World::with_link();
        if is_media {
            let header = Header { part: Part::Whole, is_resent: false, number: 0, sent: 0, age: 0 };
            world.rogue().datagram(Datagram::Media(header, PLANTED).to_bytes());
        } else {
            world.rogue().message(b"before");
            world.rogue().message(PLANTED);
        }
        world.run(SECOND);
        assert_eq!(world.victim.panics(), 1);
        assert_eq!(world.events, [Event::Disconnected { shard: ROGUE }]);
        assert!(!world.victim.is_connected(ROGUE));
        world.assert_honest_link_works();
        assert!(world.rogue().connection.is_closed(), "a stateless reset tells it");
        // It may come back, and the link is as good as any.
        world.connect();
        world.rogue().greet();
        world.events.clear();
        world.rogue().message(b"again");
        world.run(SECOND);
        let message = Event::Message { shard: ROGUE, bytes: b"again"[..].into() };
        assert_eq!(world.events, [Event::Connected { shard: ROGUE }, message]);
        assert_eq!(world.victim.panics(), 1);
    }
}

#[test]
fn media_longer_than_two_datagrams_is_dropped() {
    let mut world = World::new();
    let now = world.clock.now();
    // As the first of a link.
    let media = Media { is_audio: true, age: Duration::ZERO, bytes: &[9; 20_000] };
    world.honest.send_media(now, VICTIM, media);
    world.run(SECOND);
    assert_eq!(world.honest.panics(), 0);
    world.assert_honest_link_works();
}
