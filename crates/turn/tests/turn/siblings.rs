//! Shards that share a port: the kernel may give a client's datagrams to a shard that does not have
//! its allocation.

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use testnet::Clock;
use turn::{
    Config, FiveTuple, Forward, Limits, Output, Server, ToShard, Transport, siblings::Sibling,
};

use crate::world::{ALLOCATE, Attr, CHANNEL_BIND, Client, REFRESH, Response, at, config};

const PEER: &str = "198.51.100.7:9000";

/// Two shards, and the packets they send to clients and peers.
struct Family {
    servers: Vec<Server>,
    clock: Clock,
    answers: Vec<(SocketAddr, Vec<u8>)>,
    to_peers: Vec<(u8, Vec<u8>)>,
    /// Number of messages forwarded between shards.
    forwarded: usize,
}

impl Family {
    fn new(limits: &Limits) -> Self {
        let clock = Clock::new();
        let of = |sibling: &Sibling| {
            let config = Config {
                ports: sibling.ports(),
                shard: sibling.index(),
                sibling: sibling.clone(),
                limits: limits.clone(),
                ..config()
            };
            Server::new(config, clock.now())
        };
        let servers = Sibling::family(&turn::PORTS, 2).iter().map(of).collect();
        Self { servers, clock, answers: Vec::new(), to_peers: Vec::new(), forwarded: 0 }
    }

    /// A datagram that the kernel gives to this shard.
    fn deliver(&mut self, shard: u8, from: &FiveTuple, bytes: &[u8]) {
        let (now, unix) = (self.clock.now(), self.clock.unix());
        let server = &mut self.servers[usize::from(shard)];
        let forwarded = match server.handle_client(now, unix, from, bytes) {
            Some(Forward::Shard(packet)) => Some((packet, packet.payload.to_vec())),
            forward => {
                keep(shard, forward, &mut self.answers, &mut self.to_peers);
                None
            }
        };
        let forwarded = forwarded.map(|(ToShard { shard, is_client, source, to, .. }, bytes)| {
            assert!(is_client, "only client messages are forwarded");
            assert_eq!((source, to), (from.client, from.server));
            (shard, bytes)
        });
        if let Some((shard, bytes)) = forwarded {
            self.forwarded += 1;
            let server = &mut self.servers[usize::from(shard)];
            let forward = server.handle_forwarded(now, unix, from, &bytes);
            assert!(
                !matches!(forward, Some(Forward::Shard(_))),
                "a forwarded message is not forwarded again"
            );
            keep(shard, forward, &mut self.answers, &mut self.to_peers);
        }
        self.settle(now);
    }

    fn settle(&mut self, now: Instant) {
        for shard in [0, 1] {
            let server = &mut self.servers[usize::from(shard)];
            while let Some(output) = server.poll_output() {
                if let Output::OpenRelay { relay, .. } = output {
                    let forward = server.handle_relay_opened(now, relay, Ok(()));
                    keep(shard, forward, &mut self.answers, &mut self.to_peers);
                }
            }
        }
    }

    fn wait(&mut self, time: Duration) {
        self.clock.advance(time);
        let now = self.clock.now();
        self.servers.iter_mut().for_each(|server| server.handle_timeout(now));
        self.settle(now);
    }

    fn request(&mut self, shard: u8, client: &mut Client, method: u16, attrs: &[Attr]) -> Response {
        let from = client.five_tuple(Transport::Udp);
        for _ in 0..3 {
            let (bytes, transaction) = client.build(method, attrs);
            self.deliver(shard, &from, &bytes);
            let (to, answer) = self.answers.pop().expect("an answer");
            assert_eq!((to, answer.get(8..20)), (client.host, Some(&transaction[..])));
            let response = Response::new(client, answer);
            if !client.challenged(&response) {
                return response;
            }
        }
        panic!("challenged three times");
    }

    fn allocations(&self) -> [usize; 2] {
        [self.servers[0].allocations(), self.servers[1].allocations()]
    }
}

fn keep(
    shard: u8,
    forward: Option<Forward<'_>>,
    answers: &mut Vec<(SocketAddr, Vec<u8>)>,
    to_peers: &mut Vec<(u8, Vec<u8>)>,
) {
    match forward {
        None => {}
        Some(Forward::Client(packet)) => {
            let mut bytes = Vec::new();
            packet.write_into(&mut bytes);
            answers.push((packet.to.client, bytes));
        }
        Some(Forward::Peer(packet)) => to_peers.push((shard, packet.payload.to_vec())),
        Some(Forward::Shard(_) | Forward::Media(_)) => panic!("forwarded twice"),
    }
}

#[test]
fn move_to_another_shard_keeps_the_relay() {
    for (old, new) in [(0, 1), (1, 0), (0, 0)] {
        let mut family = Family::new(&Limits::default());
        let mut wifi = Client::new("192.0.2.10:5000");
        let attrs = [Attr::udp(), Attr::ticket(b"")];
        let response = family.request(old, &mut wifi, ALLOCATE, &attrs);
        let ticket = response.raw(0x8030).unwrap();
        let attrs = [Attr::channel(0x4000), Attr::peer(PEER)];
        assert_eq!(family.request(old, &mut wifi, CHANNEL_BIND, &attrs).error(), None);
        let mut lte = Client::new("203.0.113.50:1024");
        let attrs = [Attr::ticket(&ticket), Attr::lifetime(3600)];
        assert_eq!(family.request(new, &mut lte, REFRESH, &attrs).error(), None);
        let mut expected = [0, 0];
        expected[usize::from(old)] = 1;
        assert_eq!(family.allocations(), expected);
        let from = lte.five_tuple(Transport::Udp);
        let indication = lte.indication(at(PEER), b"sent");
        for message in [&[0x40, 0, 0, 2, 7, 8][..], &indication] {
            family.deliver(new, &from, message);
        }
        assert_eq!(family.to_peers, [(old, vec![7, 8]), (old, b"sent".to_vec())]);
        assert_eq!(family.forwarded > 0, old != new);
        // Refreshes keep the route for hours.
        for _ in 0..5 {
            family.wait(Duration::from_secs(3500));
            let attrs = [Attr::lifetime(3600)];
            assert_eq!(family.request(new, &mut lte, REFRESH, &attrs).error(), None);
        }
        let attrs = [Attr::channel(0x4000), Attr::peer(PEER)];
        assert_eq!(family.request(new, &mut lte, CHANNEL_BIND, &attrs).error(), None);
        family.wait(Duration::from_secs(3600));
        assert_eq!(family.allocations(), [0, 0]);
    }
}

#[test]
fn reservation_of_another_shard_is_redeemed_by_its_token() {
    for (first, second) in [(0, 1), (1, 0)] {
        let mut family = Family::new(&Limits::default());
        let mut rtp = Client::new("192.0.2.10:5000");
        let response = family.request(first, &mut rtp, ALLOCATE, &[Attr::udp(), Attr::even(true)]);
        let (even, token) = (response.relayed(), response.raw(0x0022).unwrap());
        let mut rtcp = Client::new("192.0.2.10:5001");
        let attrs = [Attr::udp(), Attr::Raw(0x0022, token)];
        let odd = family.request(second, &mut rtcp, ALLOCATE, &attrs).relayed();
        assert_eq!(odd.port(), even.port() + 1);
        let attrs = [Attr::channel(0x4000), Attr::peer(PEER)];
        assert_eq!(family.request(second, &mut rtcp, CHANNEL_BIND, &attrs).error(), None);
        family.deliver(second, &rtcp.five_tuple(Transport::Udp), &[0x40, 0, 0, 1, 9]);
        assert_eq!(family.to_peers, [(first, vec![9])]);
    }
}

#[test]
fn unauthenticated_request_is_not_forwarded() {
    let limits = Limits { allocations: 3, allocations_per_user: 100, ..Limits::default() };
    let mut family = Family::new(&limits);
    let token = Attr::Raw(0x0022, vec![1, 2, 3, 4, 5, 6, 7, 8]);
    for port in 1..100 {
        let mut stranger = Client::new(&format!("192.0.2.66:{port}"));
        stranger.anonymous = true;
        let attrs = [Attr::udp(), token.clone()];
        assert_eq!(family.request(0, &mut stranger, ALLOCATE, &attrs).error(), Some(401));
        stranger.credential.password = "a guess".into();
        stranger.anonymous = false;
        assert_eq!(family.request(0, &mut stranger, ALLOCATE, &attrs).error(), Some(401));
    }
    assert_eq!(family.forwarded, 0);
    // Authenticated clients with an invalid token take one of a limited number of routes.
    let mut forwarded = 0;
    for port in 1..20 {
        let mut client = Client::new(&format!("192.0.2.10:{port}"));
        let (bytes, _) = client.build(REFRESH, &[]);
        let from = client.five_tuple(Transport::Udp);
        family.deliver(0, &from, &bytes);
        let (_, answer) = family.answers.pop().unwrap();
        assert!(client.challenged(&Response::new(&client, answer)));
        let (bytes, _) = client.build(ALLOCATE, &[Attr::udp(), token.clone()]);
        family.deliver(0, &from, &bytes);
        forwarded += usize::from(family.answers.pop().is_some());
    }
    assert_eq!((forwarded, family.forwarded), (3, 3));
    assert_eq!(family.allocations(), [0, 0]);
}

#[test]
fn ticket_of_an_unknown_shard_is_a_bad_request() {
    let mut family = Family::new(&Limits::default());
    let mut client = Client::new("192.0.2.10:5000");
    let attrs = [Attr::ticket(&[9; 29])];
    assert_eq!(family.request(0, &mut client, REFRESH, &attrs).error(), Some(400));
    let attrs = [Attr::ticket(&[1; 29])];
    assert_eq!(family.request(0, &mut client, REFRESH, &attrs).error(), Some(400));
    assert_eq!(family.forwarded, 1, "only the existing shard");
}

/// Number of allocations allocated by `clients` clients whose datagrams arrive at alternating shards.
fn allocated(limits: &Limits, clients: u16) -> (Family, usize) {
    let mut family = Family::new(limits);
    let allocated = (0..clients).filter(|n| {
        let mut client = Client::new(&format!("192.0.2.1:{}", 5000 + n));
        let shard = n.to_be_bytes()[1] % 2;
        family.request(shard, &mut client, ALLOCATE, &[Attr::udp()]).error().is_none()
    });
    let allocated = allocated.count();
    (family, allocated)
}

#[test]
fn user_quota_covers_all_shards() {
    let limits = Limits { allocations_per_user: 5, ..Limits::default() };
    let (mut family, allocated) = allocated(&limits, 12);
    assert_eq!(allocated, 5);
    assert_eq!(family.allocations(), [3, 2]);
    family.wait(Duration::from_secs(3601));
    assert_eq!(family.allocations(), [0, 0]);
    let mut client = Client::new("192.0.2.1:6000");
    let again = family.request(0, &mut client, ALLOCATE, &[Attr::udp()]);
    assert_eq!(again.error(), None, "the quota is released");
}

#[test]
fn total_quota_covers_all_shards() {
    let limits = Limits { allocations: 7, ..Limits::default() };
    assert_eq!(allocated(&limits, 12).1, 7);
}
