//! A TURN server and a model of it, under any order of requests of a few clients, of peers'
//! packets, of failing sockets and of passing time. The server never panics. It relays only
//! permitted data, and never to denied peers. Its allocations, reservations and sockets equal the
//! model's and stay within the quotas. An allocation mobility_seq only by its latest ticket, and in the
//! end everything is released.
#![no_main]

use std::{
    collections::{HashMap, HashSet},
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use turn::{
    Config, FiveTuple, Forward, IcmpError, Limits, OpenRelayError, Output, RelayId, Server,
    Transport,
    rest::Credential,
    stun::{
        Class, Integrity, Key, Message, Method, PasswordAlgorithm, TransactionId, Writer,
        attribute::{
            ADDITIONAL_ADDRESS_FAMILY, CHANNEL_NUMBER, DATA, DONT_FRAGMENT, EVEN_PORT, LIFETIME,
            MOBILITY_TICKET, NONCE, PASSWORD_ALGORITHM, PASSWORD_ALGORITHMS, REALM,
            REQUESTED_ADDRESS_FAMILY, REQUESTED_TRANSPORT, RESERVATION_TOKEN, USERNAME,
            XOR_PEER_ADDRESS, XOR_RELAYED_ADDRESS,
        },
    },
};

const SECRET: &[u8] = b"secret";
const CLIENTS: u8 = 6;
const IN_ALL: usize = 6;
const PER_USER: usize = 4;

#[derive(Debug, Arbitrary)]
enum Step {
    Allocate { index: u8, shape: Shape, mobile: bool, fails: u16 },
    Redeem { index: u8, token: u8 },
    Refresh { index: u8, seconds: u16, family: Option<bool> },
    Move { index: u8, ticket: u8, seconds: u16 },
    Permit { index: u8, peer: Peer },
    Bind { index: u8, number: u16, peer: Peer },
    Send { index: u8, peer: Peer, data: Vec<u8>, whole: bool },
    ChannelData { index: u8, number: u16, data: Vec<u8> },
    FromPeer { relay: u8, peer: Peer, data: Vec<u8> },
    Error { relay: u8, peer: Peer, kind: u8, code: u8 },
    Raw { index: u8, bytes: Vec<u8> },
    Gone { index: u8 },
    Wait { seconds: u16 },
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Shape {
    Any,
    V6,
    Even,
    Pair,
    Both,
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Peer {
    Public(u8),
    PublicV6(u8),
    Loopback,
    Mapped([u8; 4]),
    /// An own relayed address, by its index among the open ones, or any address with that port.
    Relayed(u8),
    Own(u16),
    V6([u8; 16]),
}

/// An allocation of the model.
#[derive(Default)]
struct Lease {
    user: usize,
    /// Seconds, as all times here.
    expires: u64,
    v4: bool,
    v6: bool,
    /// Number of mobility_seq, if it is mobile.
    mobility_seq: Option<u32>,
    permitted: HashMap<IpAddr, u64>,
}

#[derive(Default)]
struct Model {
    leases: HashMap<u32, Lease>,
    /// The lease of each client.
    at: HashMap<u8, u32>,
    /// The user and the expiry of each reservation token.
    reserved: HashMap<Vec<u8>, (usize, u64)>,
    tokens: Vec<Vec<u8>>,
    /// Tickets, each with its lease and number of mobility_seq.
    tickets: Vec<(Vec<u8>, u32, u32)>,
    next: u32,
}

struct World {
    server: Server,
    start: Instant,
    now: u64,
    nonces: HashMap<u8, Vec<u8>>,
    relays: Vec<(RelayId, SocketAddr)>,
    open: HashMap<RelayId, SocketAddr>,
    transactions: u32,
    /// A bit per future socket: opening it fails.
    fails: u16,
    model: Model,
}

fuzz_target!(|steps: Vec<Step>| {
    let start = Instant::now();
    let mut config = Config::new(SECRET, [7; 32]);
    config.interfaces =
        vec![IpAddr::from([203, 0, 113, 1]), IpAddr::from([0x2A00, 0xDB8, 0, 0, 0, 0, 0, 1u16])];
    config.limits = Limits {
        allocations: IN_ALL,
        allocations_per_user: PER_USER,
        permissions: 4,
        channels: 3,
        user_bandwidth: Some(1000),
        bandwidth: Some(3000),
        ..Limits::default()
    };
    let mut world = World {
        server: Server::new(config, start),
        start,
        now: 0,
        nonces: HashMap::new(),
        relays: Vec::new(),
        open: HashMap::new(),
        transactions: 0,
        fails: 0,
        model: Model::default(),
    };
    for step in steps {
        world.take(step);
        world.compare();
    }
    world.wait(u64::from(u16::MAX));
    assert_eq!(world.server.allocations(), 0, "every allocation ends");
    assert_eq!(world.server.reservations(), 0, "every reservation ends");
    assert!(world.open.is_empty(), "every relayed socket is closed");
    assert_eq!(world.server.poll_timeout(), None, "nothing is waited for");
});

impl World {
    fn take(&mut self, step: Step) {
        match step {
            Step::Allocate { index, shape, mobile, fails } => {
                self.fails = fails;
                self.allocate(index % CLIENTS, shape, mobile);
            }
            Step::Redeem { index, token } => self.redeem(index % CLIENTS, token),
            Step::Refresh { index, seconds, family } => {
                self.refresh(index % CLIENTS, seconds, family)
            }
            Step::Move { index, ticket, seconds } => self.move_to(index % CLIENTS, ticket, seconds),
            Step::Permit { index, peer } => {
                let peer = self.address(peer);
                let answer =
                    self.request(index % CLIENTS, Method::CREATE_PERMISSION, &[], Some(peer));
                self.permitted(index % CLIENTS, &answer, peer);
            }
            Step::Bind { index, number, peer } => {
                let peer = self.address(peer);
                let [high, low] = number.to_be_bytes();
                let number = [(CHANNEL_NUMBER, vec![high, low, 0, 0])];
                let answer =
                    self.request(index % CLIENTS, Method::CHANNEL_BIND, &number, Some(peer));
                self.permitted(index % CLIENTS, &answer, peer);
            }
            Step::Send { index, peer, data, whole } => {
                let peer = self.address(peer);
                let mut bytes = Vec::new();
                let id = self.transaction();
                let mut writer = Writer::new(&mut bytes, Class::Indication, Method::SEND, id);
                writer.xor_address(XOR_PEER_ADDRESS, peer);
                writer.attribute(DATA, &data[..data.len().min(1000)]);
                if whole {
                    writer.attribute(DONT_FRAGMENT, &[]);
                }
                self.pass(index % CLIENTS, &bytes);
            }
            Step::ChannelData { index, number, data } => {
                let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
                let mut bytes = [number.to_be_bytes(), length.to_be_bytes()].concat();
                bytes.extend(data);
                self.pass(index % CLIENTS, &bytes);
            }
            Step::FromPeer { relay, peer, data } => {
                let peer = self.address(peer);
                let Some(&(relay, _)) = self.relays.get(usize::from(relay)) else { return };
                let now = self.time();
                let sent = self.server.handle_relay(now, relay, peer, &data);
                let Some(Forward::Client(to)) = sent else {
                    assert!(sent.is_none(), "what peers send is for clients");
                    return;
                };
                let to = to.to;
                assert!(self.open.contains_key(&relay), "a closed socket relays nothing");
                self.check_permitted(&to, peer.ip());
            }
            Step::Error { relay, peer, kind, code } => {
                let peer = self.address(peer);
                let Some(&(relay, _)) = self.relays.get(usize::from(relay)) else { return };
                let (now, error) = (self.time(), IcmpError { kind, code, mtu: 1400 });
                let sent = self.server.handle_relay_error(now, relay, peer, error);
                if let Some(Forward::Client(to)) = sent {
                    let to = to.to;
                    self.check_permitted(&to, peer.ip());
                }
            }
            Step::Raw { index, bytes } => drop(self.pass(index % CLIENTS, &bytes)),
            Step::Gone { index } => {
                let index = index % CLIENTS;
                self.server.handle_client_closed(&client(index));
                if let Some(id) = self.model.at.remove(&index)
                    && self.model.leases.get(&id).is_some_and(|lease| lease.mobility_seq.is_none())
                {
                    self.model.leases.remove(&id);
                }
                self.settle();
            }
            Step::Wait { seconds } => self.wait(u64::from(seconds)),
        }
    }

    fn allocate(&mut self, index: u8, shape: Shape, mobile: bool) {
        let mut attributes = vec![(REQUESTED_TRANSPORT, vec![17, 0, 0, 0])];
        attributes.extend(match shape {
            Shape::Any => None,
            Shape::V6 => Some((REQUESTED_ADDRESS_FAMILY, vec![2, 0, 0, 0])),
            Shape::Even => Some((EVEN_PORT, vec![0])),
            Shape::Pair => Some((EVEN_PORT, vec![0x80])),
            Shape::Both => Some((ADDITIONAL_ADDRESS_FAMILY, vec![2, 0, 0, 0])),
        });
        if mobile {
            attributes.push((MOBILITY_TICKET, Vec::new()));
        }
        let (user, more) = (user_of(index), if let Shape::Pair = shape { 2 } else { 1 });
        let room = self.held(Some(user)) + more <= PER_USER && self.held(None) + more <= IN_ALL;
        let answer = self.request(index, Method::ALLOCATE, &attributes, None);
        let Some(answer) = success(&answer) else { return };
        assert!(room, "quotas are kept");
        self.granted(index, &answer, mobile);
        let token = answer.attribute(RESERVATION_TOKEN).map(<[u8]>::to_vec);
        assert_eq!(token.is_some(), matches!(shape, Shape::Pair));
        if let Some(token) = token {
            self.model.reserved.insert(token.clone(), (user, self.now + 30));
            self.model.tokens.push(token);
        }
    }

    fn redeem(&mut self, index: u8, token: u8) {
        let Some(token) = self.model.tokens.get(usize::from(token)).cloned() else { return };
        let attributes =
            [(REQUESTED_TRANSPORT, vec![17, 0, 0, 0]), (RESERVATION_TOKEN, token.clone())];
        let answer = self.request(index, Method::ALLOCATE, &attributes, None);
        let Some(answer) = success(&answer) else { return };
        let reserved = self.model.reserved.remove(&token);
        assert_eq!(
            reserved.map(|(user, _)| user),
            Some(user_of(index)),
            "a token belongs to its user"
        );
        self.granted(index, &answer, false);
    }

    fn granted(&mut self, index: u8, answer: &Message<'_>, mobile: bool) {
        let relayed: Vec<_> = answer
            .attributes()
            .filter(|(kind, _)| *kind == XOR_RELAYED_ADDRESS)
            .filter_map(|(_, value)| value.get(1).copied())
            .collect();
        let lease = Lease {
            user: user_of(index),
            expires: self.now + u64::from(lifetime(answer)),
            v4: relayed.contains(&1),
            v6: relayed.contains(&2),
            mobility_seq: mobile.then_some(0),
            permitted: HashMap::new(),
        };
        let id = self.model.next;
        self.model.next += 1;
        assert!(self.model.at.insert(index, id).is_none(), "a client has one allocation");
        self.model.leases.insert(id, lease);
        let ticket = answer.attribute(MOBILITY_TICKET);
        assert_eq!(ticket.is_some(), mobile);
        self.model.tickets.extend(ticket.map(|ticket| (ticket.to_vec(), id, 0)));
    }

    fn refresh(&mut self, index: u8, seconds: u16, family: Option<bool>) {
        let mut attributes = vec![(LIFETIME, u32::from(seconds).to_be_bytes().to_vec())];
        attributes
            .extend(family.map(|v6| (REQUESTED_ADDRESS_FAMILY, vec![1 + u8::from(v6), 0, 0, 0])));
        let answer = self.request(index, Method::REFRESH, &attributes, None);
        let Some(answer) = success(&answer) else { return };
        self.refreshed(index, lifetime(&answer), family);
    }

    fn refreshed(&mut self, index: u8, lifetime: u32, family: Option<bool>) {
        let id = self.model.at.get(&index).copied().expect("a refresh needs an allocation");
        let lease = self.model.leases.get_mut(&id).expect("a lease");
        if lifetime > 0 {
            lease.expires = self.now + u64::from(lifetime);
            return;
        }
        match family {
            Some(false) => lease.v4 = false,
            Some(true) => lease.v6 = false,
            None => (lease.v4, lease.v6) = (false, false),
        }
        let (v4, v6) = (lease.v4, lease.v6);
        lease.permitted.retain(|ip, _| if ip.is_ipv4() { v4 } else { v6 });
        if !v4 && !v6 {
            self.model.leases.remove(&id);
            self.model.at.remove(&index);
        }
        // The allocation that a ticket names may have lost one family.
    }

    fn move_to(&mut self, index: u8, ticket: u8, seconds: u16) {
        let Some((ticket, id, mobility_seq)) = self.model.tickets.get(usize::from(ticket)).cloned()
        else {
            return;
        };
        let seconds = u32::from(seconds).to_be_bytes().to_vec();
        let attributes = [(MOBILITY_TICKET, ticket), (LIFETIME, seconds)];
        let answer = self.request(index, Method::REFRESH, &attributes, None);
        let Some(answer) = success(&answer) else { return };
        let lease = self.model.leases.get_mut(&id).expect("a ticket ends with its allocation");
        assert_eq!(lease.user, user_of(index), "a ticket belongs to its user");
        match self.model.at.get(&index) {
            Some(own) => assert_eq!(*own, id, "a client with an allocation mobility_seq no other"),
            None => {
                assert_eq!(lease.mobility_seq, Some(mobility_seq), "a ticket is good for one move");
                lease.mobility_seq = Some(mobility_seq + 1);
                self.model.at.retain(|_, lease| *lease != id);
                self.model.at.insert(index, id);
            }
        }
        let mobility_seq = self.model.leases[&id].mobility_seq.expect("it may move");
        if let Some(ticket) = answer.attribute(MOBILITY_TICKET) {
            self.model.tickets.push((ticket.to_vec(), id, mobility_seq));
        }
        self.refreshed(index, lifetime(&answer), None);
    }

    fn permitted(&mut self, index: u8, answer: &[u8], peer: SocketAddr) {
        if success(answer).is_none() {
            return;
        }
        let id = self.model.at.get(&index).expect("only index has an allocation permits");
        let lease = self.model.leases.get_mut(id).expect("a lease");
        assert!(if peer.is_ipv4() { lease.v4 } else { lease.v6 }, "of a family it has");
        lease.permitted.insert(peer.ip(), self.now + 300);
        let live = lease.permitted.values().filter(|until| **until > self.now).count();
        assert!(live <= 4, "permissions are bounded");
    }

    /// Checks that the client of a five-tuple has permitted an address.
    fn check_permitted(&self, to: &FiveTuple, ip: IpAddr) {
        let index = (0..CLIENTS).find(|index| client(*index) == *to);
        // A detached allocation has a five-tuple with port 0.
        let Some(index) = index else { return assert_eq!(to.client.port(), 0) };
        let lease = self.model.at.get(&index).and_then(|id| self.model.leases.get(id));
        let until = lease.and_then(|lease| lease.permitted.get(&ip.to_canonical()));
        assert!(until.is_some_and(|until| *until > self.now), "{ip} is not permitted");
    }

    /// The count of a user, or of all.
    fn held(&self, user: Option<usize>) -> usize {
        let of = |other: usize| user.is_none_or(|user| user == other);
        self.model.leases.values().filter(|lease| of(lease.user)).count()
            + self.model.reserved.values().filter(|(user, _)| of(*user)).count()
    }

    fn compare(&mut self) {
        let model = &self.model;
        assert_eq!(self.server.allocations(), model.leases.len());
        assert_eq!(self.server.reservations(), model.reserved.len());
        let sockets: usize =
            model.leases.values().map(|lease| usize::from(lease.v4) + usize::from(lease.v6)).sum();
        assert_eq!(self.open.len(), sockets + model.reserved.len(), "sockets are what is needed");
        let ports: HashSet<_> = self.open.values().collect();
        assert_eq!(ports.len(), self.open.len(), "no two have one port");
        for index in 0..CLIENTS {
            assert_eq!(self.server.has_allocation(&client(index)), model.at.contains_key(&index));
        }
    }

    fn wait(&mut self, seconds: u64) {
        self.now += seconds;
        let now = self.now;
        let model = &mut self.model;
        model.leases.retain(|_, lease| lease.expires > now);
        model.at.retain(|_, id| model.leases.contains_key(id));
        model.reserved.retain(|_, (_, until)| *until > now);
        let now = self.time();
        self.server.handle_timeout(now);
        self.settle();
    }

    fn time(&self) -> Instant {
        self.start + Duration::from_secs(self.now)
    }

    fn unix(&self) -> u64 {
        1_000_000 + self.now
    }

    fn address(&self, peer: Peer) -> SocketAddr {
        match peer {
            Peer::Public(last) => SocketAddr::from(([198, 51, 100, last % 6], 5000)),
            Peer::PublicV6(last) => {
                (IpAddr::from([0x2A00, 1, 0, 0, 0, 0, 0, u16::from(last % 6)]), 5000).into()
            }
            Peer::Loopback => SocketAddr::from(([127, 0, 0, 1], 22)),
            Peer::Mapped(octets) => {
                (IpAddr::from(Ipv4Addr::from(octets).to_ipv6_mapped()), 5000).into()
            }
            Peer::Relayed(relay) => {
                let found = self.relays.get(usize::from(relay)).map(|(_, local)| *local);
                found.unwrap_or(SocketAddr::from(([203, 0, 113, 1], 1)))
            }
            Peer::Own(port) => SocketAddr::from(([203, 0, 113, 1], port)),
            Peer::V6(octets) => (IpAddr::from(octets), 5000).into(),
        }
    }

    /// Sends a signed request, and repeats it with the nonce of a challenge. Returns the last
    /// response.
    fn request(
        &mut self,
        index: u8,
        method: Method,
        attributes: &[(u16, Vec<u8>)],
        peer: Option<SocketAddr>,
    ) -> Vec<u8> {
        // One name per user for the whole test: an allocation belongs to a username.
        let user = ["ann", "bob"][user_of(index)];
        let credential = Credential::mint(SECRET, u64::from(u32::MAX), user);
        let sha256 = index.is_multiple_of(2);
        let algorithm = if sha256 { PasswordAlgorithm::Sha256 } else { PasswordAlgorithm::Md5 };
        let key = Key::derive(algorithm, &credential.username, "moim", &credential.password);
        let mut answer = Vec::new();
        for _ in 0..2 {
            let mut bytes = Vec::new();
            let transaction = self.transaction();
            let mut writer = Writer::new(&mut bytes, Class::Request, method, transaction);
            for (kind, value) in attributes {
                writer.attribute(*kind, value);
            }
            if let Some(peer) = peer {
                writer.xor_address(XOR_PEER_ADDRESS, peer);
            }
            writer.attribute(USERNAME, credential.username.as_bytes()).attribute(REALM, b"moim");
            writer.attribute(NONCE, self.nonces.get(&index).map_or(&[], Vec::as_slice));
            if sha256 {
                writer.attribute(PASSWORD_ALGORITHMS, &[0, 2, 0, 0, 0, 1, 0, 0]);
                writer.attribute(PASSWORD_ALGORITHM, &[0, 2, 0, 0]);
            }
            writer.protect(&key, if sha256 { Integrity::Sha256 } else { Integrity::Sha1 });
            writer.fingerprint();
            let sent = self.pass(index, &bytes);
            let is_answer = |bytes: &Vec<u8>| bytes.get(8..20) == Some(&transaction.0[..]);
            answer = sent.into_iter().find(is_answer).unwrap_or_default();
            let Ok(message) = Message::parse(&answer) else { return Vec::new() };
            let Some(nonce) = message.attribute(NONCE) else { break };
            self.nonces.insert(index, nonce.to_vec());
        }
        answer
    }

    fn transaction(&mut self) -> TransactionId {
        self.transactions += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.transactions.to_be_bytes());
        TransactionId(id)
    }

    /// Passes a client's packet to the server. Returns the packets to clients.
    fn pass(&mut self, index: u8, bytes: &[u8]) -> Vec<Vec<u8>> {
        let (now, unix, from) = (self.time(), self.unix(), client(index));
        let mut sent = Vec::new();
        let mut leaves = None;
        match self.server.handle_client(now, unix, &from, bytes) {
            None => {}
            Some(Forward::Client(to)) => sent.push(written(&to)),
            Some(Forward::Peer(to)) => leaves = Some((to.relay, to.to)),
            Some(Forward::Shard(_)) => panic!("a single server"),
            Some(Forward::Media(_)) => panic!("no media server"),
        }
        if let Some((relay, to)) = leaves {
            let ip = to.ip().to_canonical();
            assert!(!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast(), "{ip}");
            assert!(!matches!(ip, IpAddr::V4(ip) if ip.is_private() || ip.is_link_local()), "{ip}");
            assert_eq!(self.open.get(&relay).map(SocketAddr::is_ipv4), Some(to.is_ipv4()));
            self.check_permitted(&from, ip);
        }
        sent.extend(self.settle());
        sent
    }

    /// Performs the server's actions on relayed sockets.
    fn settle(&mut self) -> Vec<Vec<u8>> {
        let mut sent = Vec::new();
        for _ in 0..200 {
            let Some(output) = self.server.poll_output() else { return sent };
            match output {
                Output::OpenRelay { relay, local } => {
                    let fails = self.fails & 1 == 1;
                    self.fails >>= 1;
                    if !fails {
                        assert!(self.open.insert(relay, local).is_none(), "opened once");
                        self.relays.push((relay, local));
                    }
                    let opened = if fails { Err(OpenRelayError::PortTaken) } else { Ok(()) };
                    let now = self.time();
                    if let Some(Forward::Client(to)) =
                        self.server.handle_relay_opened(now, relay, opened)
                    {
                        sent.push(written(&to));
                    }
                }
                Output::CloseRelay { relay } => {
                    assert!(self.open.remove(&relay).is_some(), "only what is open is closed");
                }
            }
        }
        panic!("a port that is taken is not tried for ever");
    }
}

fn user_of(index: u8) -> usize {
    usize::from(index % 3 == 0)
}

fn client(index: u8) -> FiveTuple {
    FiveTuple {
        transport: if index.is_multiple_of(2) { Transport::Udp } else { Transport::Tcp },
        client: SocketAddr::from(([192, 0, 2, 1], 4000 + u16::from(index))),
        server: SocketAddr::from(([203, 0, 113, 1], 3478)),
    }
}

fn written(to: &turn::ToClient<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    to.write_into(&mut bytes);
    bytes
}

fn success(answer: &[u8]) -> Option<Message<'_>> {
    Message::parse(answer).ok().filter(|message| message.class() == Class::Success)
}

fn lifetime(answer: &Message<'_>) -> u32 {
    let value = answer.attribute(LIFETIME).and_then(|value| value.try_into().ok());
    u32::from_be_bytes(value.expect("a lifetime"))
}
