//! Shards of several servers on a virtual network.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod common;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use cascade::{Endpoint, Event, IDLE_TIMEOUT, Media};
use testnet::{Bottleneck, Link, Network, Step};

use common::Authority;

const SECOND: Duration = Duration::from_secs(1);

struct World {
    authority: Authority,
    net: Network,
    endpoints: Vec<Endpoint>,
    events: Vec<Vec<(Instant, Event)>>,
    /// Datagrams sent by each.
    sent: Vec<usize>,
    is_stopped: Vec<bool>,
}

fn address(index: usize) -> SocketAddr {
    SocketAddr::from(([192, 0, 2, u8::try_from(index).unwrap() + 1], 4000))
}

fn shard(index: usize) -> u16 {
    u16::try_from(index).unwrap() * 64
}

fn delay(ms: u64) -> Link {
    Link { delay: Duration::from_millis(ms), ..Link::default() }
}

impl World {
    /// Endpoints of shards 0, 64 and so on, each behind a link.
    fn new(seed: u64, count: usize, link: Link) -> Self {
        let authority = Authority::new();
        let mut net = Network::new(seed);
        (0..count).for_each(|index| net.link(address(index).ip(), link));
        let endpoints = (0..count).map(|index| authority.endpoint(shard(index))).collect();
        Self {
            authority,
            net,
            endpoints,
            events: vec![Vec::new(); count],
            sent: vec![0; count],
            is_stopped: vec![false; count],
        }
    }

    /// Two endpoints with a link.
    fn pair(seed: u64, link: Link) -> Self {
        let mut world = Self::new(seed, 2, link);
        world.want(0, 1);
        world.run(5 * SECOND);
        assert!(world.endpoints[0].is_connected(64) && world.endpoints[1].is_connected(0));
        world.events.iter_mut().for_each(Vec::clear);
        world
    }

    fn now(&self) -> Instant {
        self.net.clock.now()
    }

    fn want(&mut self, from: usize, to: usize) {
        let now = self.now();
        self.endpoints[from].want(now, shard(to), address(to));
        self.drain(from);
    }

    fn message(&mut self, from: usize, to: usize, bytes: &[u8]) {
        let now = self.now();
        self.endpoints[from].send_message(now, shard(to), bytes);
        self.drain(from);
    }

    fn media(&mut self, from: usize, to: usize, bytes: &[u8]) {
        let now = self.now();
        let media = Media { is_audio: false, age: Duration::from_millis(2), bytes };
        self.endpoints[from].send_media(now, shard(to), media);
        self.drain(from);
    }

    fn drain(&mut self, index: usize) {
        let now = self.now();
        let endpoint = &mut self.endpoints[index];
        while let Some(event) = endpoint.poll_event() {
            self.events[index].push((now, event));
        }
        let mut bytes = Vec::new();
        while let Some(transmit) = endpoint.poll_transmit(now, &mut bytes) {
            for datagram in bytes.chunks(transmit.segment) {
                self.sent[index] += 1;
                self.net.send(address(index), transmit.to, datagram);
            }
        }
    }

    fn run(&mut self, time: Duration) {
        let end = self.now() + time;
        while self.now() < end {
            let running = self.endpoints.iter_mut().zip(&self.is_stopped);
            let running = running.filter(|(_, is_stopped)| !**is_stopped);
            let next = running.filter_map(|(endpoint, _)| endpoint.poll_timeout());
            let next = next.chain([end]).min().unwrap().max(self.now());
            if let Step::Arrived(datagram) = self.net.step(Some(next)) {
                let index = (0..self.endpoints.len()).find(|at| address(*at) == datagram.to);
                if let Some(index) = index.filter(|index| !self.is_stopped[*index]) {
                    let now = self.now();
                    let (from, bytes) = (datagram.from, &datagram.bytes);
                    self.endpoints[index].handle_datagram(now, from, None, bytes);
                    self.drain(index);
                }
                continue;
            }
            let now = self.now();
            for index in 0..self.endpoints.len() {
                if !self.is_stopped[index]
                    && self.endpoints[index].poll_timeout().is_some_and(|due| due <= now)
                {
                    self.endpoints[index].handle_timeout(now);
                    self.drain(index);
                }
            }
        }
    }

    fn events(&self, index: usize) -> Vec<&Event> {
        self.events[index].iter().map(|(_, event)| event).collect()
    }

    fn count(&self, index: usize, wanted: impl Fn(&Event) -> bool) -> usize {
        self.events[index].iter().filter(|(_, event)| wanted(event)).count()
    }
}

fn is_media(event: &Event) -> bool {
    matches!(event, Event::Media { .. })
}

#[test]
fn lower_number_connects_and_both_exchange_messages_and_media() {
    let mut world = World::new(1, 2, delay(5));
    world.want(1, 0);
    world.run(SECOND);
    assert_eq!((world.endpoints[0].links(), world.sent[1]), (0, 0), "the other side connects");
    world.want(0, 1);
    world.run(SECOND);
    assert_eq!(world.events(0), [&Event::Connected { shard: 64 }]);
    assert_eq!(world.events(1), [&Event::Connected { shard: 0 }]);
    world.events.iter_mut().for_each(Vec::clear);
    world.message(1, 0, b"published");
    world.message(0, 1, b"interest");
    world.media(1, 0, b"frame");
    world.run(SECOND);
    let published = Event::Message { shard: 64, bytes: b"published"[..].into() };
    assert_eq!(world.events(0)[0], &published);
    assert!(matches!(
        world.events(0)[1],
        Event::Media { shard: 64, age, bytes } if **bytes == *b"frame"
            && *age >= Duration::from_millis(11) && *age <= Duration::from_millis(14)
    ));
    assert_eq!(world.events(1), [&Event::Message { shard: 0, bytes: b"interest"[..].into() }]);
}

#[test]
fn server_of_another_authority_gets_no_link() {
    for stranger in [0, 1] {
        let mut world = World::new(2, 2, delay(5));
        world.endpoints[stranger] = Authority::new().endpoint(shard(stranger));
        world.want(0, 1);
        world.run(10 * SECOND);
        assert!(world.events.iter().all(Vec::is_empty), "{:?}", world.events);
        assert!(world.sent[0] < 200, "attempts are spaced: {}", world.sent[0]);
    }
}

#[test]
fn unproven_address_is_answered_by_a_retry_only() {
    let mut world = World::new(3, 2, delay(5));
    world.want(0, 1);
    // The first packet, from an address that hears no answer.
    let Step::Arrived(datagram) = world.net.step(None) else { panic!() };
    let forged = SocketAddr::from(([198, 51, 100, 1], 1));
    let now = world.now();
    for _ in 0..100 {
        world.endpoints[1].handle_datagram(now, forged, None, &datagram.bytes);
    }
    let mut bytes = Vec::new();
    while let Some(transmit) = world.endpoints[1].poll_transmit(now, &mut bytes) {
        assert!(transmit.to == forged && bytes.len() < datagram.bytes.len() / 3);
    }
    assert_eq!(world.endpoints[1].poll_timeout(), None, "no state is kept");
}

#[test]
fn loss_delays_but_loses_neither_messages_nor_media() {
    let link = Link { loss: 0.01, duplicate: 0.02, reorder: 0.02, ..delay(10) };
    let mut world = World::pair(4, link);
    for number in 0..5000_u32 {
        let mut bytes = number.to_be_bytes().to_vec();
        bytes.resize(1200, 7);
        world.media(0, 1, &bytes);
        if number % 10 == 0 {
            world.message(0, 1, &number.to_be_bytes());
        }
        world.run(Duration::from_millis(1));
    }
    world.run(5 * SECOND);
    assert_eq!(world.count(1, is_media), 5000, "{:?}", world.endpoints[1].stats());
    let messages: Vec<u32> = world.events[1]
        .iter()
        .filter_map(|(_, event)| match event {
            Event::Message { bytes, .. } => Some(u32::from_be_bytes(bytes[..].try_into().unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(messages, (0..500).map(|number| number * 10).collect::<Vec<_>>());
    assert!(world.endpoints[1].stats().repaired > 50);
    assert_eq!(world.count(1, |event| matches!(event, Event::Congested { .. })), 0);
}

#[test]
fn burst_of_keyframes_is_not_held_back() {
    let mut world = World::pair(5, delay(20));
    let begin = world.now();
    (0..1000).for_each(|_| world.media(0, 1, &[9; 1100]));
    world.run(SECOND);
    let last = world.events[1].iter().filter(|(_, event)| is_media(event)).map(|(at, _)| *at).max();
    assert_eq!(world.count(1, is_media), 1000);
    assert!(last.unwrap() - begin <= Duration::from_millis(41), "{:?}", last.unwrap() - begin);
}

#[test]
fn narrow_path_is_reported_to_the_receiver() {
    let mut world = World::pair(6, delay(10));
    // 4 Mb/s, on a path of 3 Mb/s with a queue of half a second.
    let bottleneck = Bottleneck { bits_per_second: 3_000_000, queue: 190_000 };
    world.net.link(address(1).ip(), Link { bottleneck: Some(bottleneck), ..delay(10) });
    let begin = world.now();
    for _ in 0..1000 {
        world.media(0, 1, &[9; 1000]);
        world.run(Duration::from_millis(2));
    }
    let congested = |(at, event): &(Instant, Event)| {
        matches!(event, Event::Congested { shard: 0 }).then_some(*at)
    };
    let first = world.events[1].iter().find_map(congested).expect("it is reported");
    assert!(first - begin < Duration::from_millis(1000), "{:?}", first - begin);
    assert_eq!(world.count(0, |event| matches!(event, Event::Congested { .. })), 0);
}

#[test]
fn server_that_restarts_is_linked_again() {
    let mut world = World::pair(7, delay(5));
    world.endpoints[1] = world.authority.endpoint(64);
    world.run(10 * SECOND);
    let expected = [&Event::Disconnected { shard: 64 }, &Event::Connected { shard: 64 }];
    assert_eq!(world.events(0), expected);
    assert_eq!(world.events(1), [&Event::Connected { shard: 0 }]);
}

#[test]
fn former_link_of_a_restarted_caller_is_replaced() {
    let mut world = World::pair(8, delay(5));
    world.endpoints[0] = world.authority.endpoint(0);
    world.want(0, 1);
    world.run(SECOND);
    let expected = [&Event::Disconnected { shard: 0 }, &Event::Connected { shard: 0 }];
    assert_eq!(world.events(1), expected);
    world.message(0, 1, b"again");
    world.run(5 * SECOND);
    assert_eq!(world.events(1)[2..], [&Event::Message { shard: 0, bytes: b"again"[..].into() }]);
}

#[test]
fn server_that_dies_is_noticed_within_four_seconds() {
    let mut world = World::pair(9, delay(5));
    world.is_stopped[1] = true;
    let begin = world.now();
    world.run(10 * SECOND);
    let (at, event) = &world.events[0][0];
    assert_eq!(event, &Event::Disconnected { shard: 64 });
    assert!(*at - begin < 4 * SECOND);
}

#[test]
fn unused_link_is_closed_and_leaves_nothing() {
    let mut world = World::pair(10, delay(5));
    world.run(IDLE_TIMEOUT / 2);
    world.message(0, 1, b"in use");
    world.run(IDLE_TIMEOUT - SECOND);
    assert!(world.endpoints[0].is_connected(64), "a minute after the last use");
    world.run(10 * SECOND);
    for endpoint in &mut world.endpoints {
        assert_eq!((endpoint.links(), endpoint.poll_timeout()), (0, None));
    }
}

#[test]
fn greeting_for_another_shard_is_refused() {
    let mut world = World::new(11, 2, delay(5));
    // The address of shard 64 is that of shard 128.
    world.endpoints[1] = world.authority.endpoint(128);
    world.want(0, 1);
    world.run(3 * SECOND);
    assert!(world.events.iter().all(Vec::is_empty), "{:?}", world.events);
}

#[test]
fn three_servers_have_a_link_for_each_pair() {
    let mut world = World::new(12, 3, delay(5));
    for (from, to) in [(0, 1), (0, 2), (1, 2)] {
        world.want(from, to);
    }
    world.run(SECOND);
    assert_eq!(world.endpoints.iter().map(Endpoint::links).collect::<Vec<_>>(), [2, 2, 2]);
}
