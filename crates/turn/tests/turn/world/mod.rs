//! A small world: one server on a virtual network, and clients with another codec. The framing of
//! every packet from the server is checked.

mod client;
mod tcp;

pub(crate) use client::{
    ALLOCATE, Attr, BINDING, CHANNEL_BIND, CONNECT, CONNECTION_BIND, CREATE_PERMISSION, Client,
    REFRESH, Response, SEND,
};

use std::{
    collections::{HashMap, VecDeque},
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};
pub(crate) use tcp::TcpSide;
use testnet::{Datagram, Network, Step, UNIX_START};
use turn::{
    Config, FiveTuple, Forward, FrozenAllocation, OpenRelayError, Output, RelayId, Server,
    Transport,
};

pub(crate) const SECRET: &[u8] = b"a secret";
pub(crate) const SERVER: &str = "203.0.113.1:3478";
pub(crate) const SERVER_V6: &str = "[2a00:db8::1]:3478";

pub(crate) fn at(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub(crate) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(crate) fn config() -> Config {
    Config { interfaces: vec![at(SERVER).ip(), at(SERVER_V6).ip()], ..Config::new(SECRET, [7; 32]) }
}

/// An owned copy of a packet from the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sent {
    Client(FiveTuple, Vec<u8>),
    Peer(SocketAddr, SocketAddr, Vec<u8>),
}

pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) server: Server,
    pub(crate) relays: HashMap<RelayId, SocketAddr>,
    by_address: HashMap<SocketAddr, RelayId>,
    /// Clients on transports other than UDP.
    pub(crate) streams: HashMap<SocketAddr, Transport>,
    inboxes: HashMap<SocketAddr, VecDeque<Datagram>>,
    /// All packets that clients sent to the server.
    pub(crate) recorded: Vec<(FiveTuple, Vec<u8>)>,
    /// Errors of opening the next relayed sockets.
    pub(crate) fail_opening: VecDeque<OpenRelayError>,
    /// Results of opening the next relayed sockets, one by one.
    pub(crate) fail_at: VecDeque<Option<OpenRelayError>>,
    /// Number of packets that relayed sockets sent over the network.
    pub(crate) over_network: usize,
    /// Additional addresses of the server.
    pub(crate) also: Vec<SocketAddr>,
    /// Sockets of TCP allocations.
    pub(crate) tcp: TcpSide,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(config())
    }

    pub(crate) fn with(config: Config) -> Self {
        let network = Network::new(1);
        let server = Server::new(config, network.clock.now());
        Self {
            network,
            server,
            relays: HashMap::new(),
            by_address: HashMap::new(),
            streams: HashMap::new(),
            inboxes: HashMap::new(),
            recorded: Vec::new(),
            fail_opening: VecDeque::new(),
            fail_at: VecDeque::new(),
            over_network: 0,
            also: Vec::new(),
            tcp: TcpSide::default(),
        }
    }

    /// Replaces the server by its next process, which continues the allocations `gap` later and
    /// holds requests until then. Returns the number that it could not continue.
    pub(crate) fn restart(&mut self, config: Config, gap: Duration) -> usize {
        let now = self.now();
        let frozen = self.server.freeze(now, usize::MAX).allocations;
        let written = serde_json::to_string(&frozen).unwrap();
        self.run_for(gap);
        self.server = Server::new(config, self.now());
        self.relays.clear();
        self.by_address.clear();
        let read: Vec<FrozenAllocation> = serde_json::from_str(&written).unwrap();
        let now = self.now();
        let restored = read.iter().filter(|frozen| self.server.restore(now, frozen, gap)).count();
        self.settle_now();
        read.len() - restored
    }

    pub(crate) fn now(&self) -> Instant {
        self.network.clock.now()
    }

    pub(crate) fn unix(&self) -> u64 {
        self.network.clock.unix()
    }

    /// Passes a packet to the server. Returns the packets it sends at once.
    pub(crate) fn pass(&mut self, from: &FiveTuple, bytes: &[u8]) -> Vec<Sent> {
        let (now, unix) = (self.now(), self.unix());
        let forward = self.server.handle_client(now, unix, from, bytes);
        let mut sent: Vec<Sent> =
            forward.map(|forward| owned(&forward, &self.relays)).into_iter().collect();
        sent.extend(self.settle());
        sent.iter().for_each(check);
        sent
    }

    /// Passes a packet to the server at a time. Returns the one packet for a client.
    pub(crate) fn pass_at(
        &mut self,
        now: Instant,
        unix: u64,
        from: &FiveTuple,
        bytes: &[u8],
    ) -> Vec<u8> {
        let forward = self.server.handle_client(now, unix, from, bytes);
        let mut sent: Vec<Sent> =
            forward.map(|forward| owned(&forward, &self.relays)).into_iter().collect();
        sent.extend(self.settle());
        let [Sent::Client(_, bytes)] = &sent[..] else { panic!("{sent:?}") };
        bytes.clone()
    }

    /// Performs the server's pending actions.
    pub(crate) fn settle_now(&mut self) {
        let sent = self.settle();
        self.send(sent);
    }

    fn settle(&mut self) -> Vec<Sent> {
        let mut sent = Vec::new();
        while let Some(output) = self.server.poll_output() {
            match output {
                Output::OpenRelay { relay, local } => {
                    let failed = self.fail_at.pop_front();
                    let failed = failed.unwrap_or_else(|| self.fail_opening.pop_front());
                    let opened = match failed {
                        Some(why) => Err(why),
                        None => {
                            assert!(
                                self.by_address.insert(local, relay).is_none(),
                                "{local} twice"
                            );
                            assert!(self.relays.insert(relay, local).is_none());
                            Ok(())
                        }
                    };
                    let now = self.now();
                    let answer = self.server.handle_relay_opened(now, relay, opened);
                    sent.extend(answer.map(|forward| owned(&forward, &self.relays)));
                }
                Output::CloseRelay { relay } => {
                    let local = self.relays.remove(&relay).expect("a closed relay was open");
                    self.by_address.remove(&local);
                }
            }
        }
        sent.extend(self.settle_tcp());
        sent
    }

    /// Advances to the next event, but not beyond `until`.
    pub(crate) fn step(&mut self, until: Instant) -> Step {
        let timeout = self.server.poll_timeout().map_or(until, |timeout| timeout.min(until));
        let step = self.network.step(Some(timeout));
        match &step {
            Step::Arrived(datagram) => self.arrive(datagram.clone()),
            Step::Timeout => {
                let now = self.now();
                self.server.handle_timeout(now);
                let sent = self.settle();
                self.send(sent);
            }
            Step::Idle => {}
        }
        step
    }

    pub(crate) fn run_for(&mut self, time: Duration) {
        let until = self.now() + time;
        while self.now() < until {
            self.step(until);
        }
        // Handles events that are due at this very moment.
        while let Step::Arrived(_) = self.step(until) {}
    }

    fn arrive(&mut self, datagram: Datagram) {
        let ours = [at(SERVER), at(SERVER_V6)];
        let sent = if ours.contains(&datagram.to) || self.also.contains(&datagram.to) {
            let transport = self.streams.get(&datagram.from).copied().unwrap_or(Transport::Udp);
            let from = FiveTuple { transport, client: datagram.from, server: datagram.to };
            self.recorded.push((from, datagram.bytes.clone()));
            self.pass(&from, &datagram.bytes)
        } else if let Some(relay) = self.by_address.get(&datagram.to).copied() {
            let now = self.now();
            let forward = self.server.handle_relay(now, relay, datagram.from, &datagram.bytes);
            let sent: Vec<Sent> =
                forward.map(|forward| owned(&forward, &self.relays)).into_iter().collect();
            sent.iter().for_each(check);
            sent
        } else {
            self.inboxes.entry(datagram.to).or_default().push_back(datagram);
            return;
        };
        self.send(sent);
    }

    fn send(&mut self, sent: Vec<Sent>) {
        for packet in sent {
            match packet {
                Sent::Client(to, bytes) => self.network.send(to.server, to.client, bytes),
                Sent::Peer(from, to, bytes) => {
                    self.over_network += 1;
                    self.network.send(from, to, bytes);
                }
            }
        }
    }

    /// The next packet that arrived at a host.
    pub(crate) fn receive(&mut self, host: SocketAddr) -> Option<Datagram> {
        self.inboxes.get_mut(&host)?.pop_front()
    }

    /// Sends a packet and lets it arrive.
    pub(crate) fn deliver(&mut self, from: SocketAddr, to: SocketAddr, bytes: impl Into<Vec<u8>>) {
        self.network.send(from, to, bytes);
        self.run_for(Duration::ZERO);
    }

    /// Sends a request, retransmits it every 500 ms, and repeats it when challenged.
    pub(crate) fn request(&mut self, client: &mut Client, method: u16, attrs: &[Attr]) -> Response {
        for _ in 0..3 {
            let (bytes, transaction) = client.build(method, attrs);
            let response = self.exchange(client, &bytes, transaction);
            if !client.challenged(&response) {
                return response;
            }
        }
        panic!("challenged three times");
    }

    /// Sends a request and retransmits it until a response arrives.
    pub(crate) fn exchange(
        &mut self,
        client: &mut Client,
        bytes: &[u8],
        transaction: [u8; 12],
    ) -> Response {
        let before = client.set_aside.len();
        for _ in 0..20 {
            self.network.send(client.host, client.server, bytes);
            let until = self.now() + Duration::from_millis(500);
            loop {
                let step = self.step(until);
                while let Some(datagram) = self.receive(client.host) {
                    if datagram.bytes.get(8..20) == Some(&transaction[..]) {
                        return Response::new(client, datagram.bytes);
                    }
                    client.set_aside.push(datagram.bytes);
                }
                if step == Step::Timeout && self.now() >= until {
                    break;
                }
            }
        }
        panic!("no response, {} other packets", client.set_aside.len() - before);
    }
}

fn owned(forward: &Forward<'_>, relays: &HashMap<RelayId, SocketAddr>) -> Sent {
    match forward {
        Forward::Client(packet) => {
            let mut bytes = Vec::new();
            packet.write_into(&mut bytes);
            Sent::Client(packet.to, bytes)
        }
        Forward::Peer(packet) => {
            Sent::Peer(relays[&packet.relay], packet.to, packet.payload.to_vec())
        }
        Forward::Shard(_) | Forward::Media(_) => unreachable!("a single server without media"),
    }
}

/// Checks the framing and the zero padding of a packet for a client.
fn check(sent: &Sent) {
    let Sent::Client(to, bytes) = sent else { return };
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    if bytes[0] >= 0x40 {
        assert!(bytes[4 + length..].iter().all(|byte| *byte == 0), "padding of {bytes:x?}");
        if to.transport.is_stream() {
            assert!(bytes.len().is_multiple_of(4));
        } else {
            assert_eq!(bytes.len(), 4 + length);
        }
        return;
    }
    assert_eq!(bytes.len(), 20 + length);
    let mut rest = &bytes[20..];
    while !rest.is_empty() {
        let length = usize::from(u16::from_be_bytes([rest[2], rest[3]]));
        let end = 4 + length.next_multiple_of(4);
        assert!(rest[4 + length..end].iter().all(|byte| *byte == 0), "padding of {bytes:x?}");
        rest = &rest[end..];
    }
    stun_types::message::Message::from_bytes(bytes).expect("readable by the other codec");
}

/// Expiry of credentials in tests, in seconds since 1970.
pub(crate) const EXPIRY: u64 = UNIX_START + 86_400;
