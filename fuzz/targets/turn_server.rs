//! A TURN server under any order of requests of a few clients, some with good credentials, of
//! peers' packets, of failing sockets and of passing time: it never panics, relays to nobody who is
//! denied, keeps to one allocation a client, and in the end gives everything back.
#![no_main]

use std::{
    collections::HashSet,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::{Duration, Instant},
};

use arbitrary::Arbitrary;
use libfuzzer_sys::fuzz_target;
use turn::{
    Config, FiveTuple, Forward, OpenFailed, Output, RelayId, Server, Transport,
    rest::Credential,
    stun::{
        Class, Key, Message, Method, TransactionId, Writer,
        attribute::{
            CHANNEL_NUMBER, DATA, EVEN_PORT, LIFETIME, NONCE, REALM, REQUESTED_TRANSPORT, USERNAME,
            XOR_PEER_ADDRESS,
        },
    },
};

const SECRET: &[u8] = b"secret";
const CLIENTS: u16 = 4;

#[derive(Debug, Arbitrary)]
enum Step {
    Allocate { who: u8, even: Option<u8>, opens: bool },
    Refresh { who: u8, seconds: u16 },
    Permit { who: u8, peer: Peer },
    Bind { who: u8, number: u16, peer: Peer },
    Send { who: u8, peer: Peer, data: Vec<u8> },
    ChannelData { who: u8, number: u16, data: Vec<u8> },
    FromPeer { relay: u8, peer: Peer, data: Vec<u8> },
    Raw { who: u8, bytes: Vec<u8> },
    Gone { who: u8 },
    Wait { seconds: u16 },
}

#[derive(Debug, Clone, Copy, Arbitrary)]
enum Peer {
    Public(u8),
    Loopback,
    Mapped([u8; 4]),
    Relayed(u16),
    V6([u8; 16]),
}

impl Peer {
    fn address(self) -> SocketAddr {
        match self {
            Self::Public(last) => SocketAddr::from(([198, 51, 100, last], 5000)),
            Self::Loopback => SocketAddr::from(([127, 0, 0, 1], 22)),
            Self::Mapped(octets) => {
                (IpAddr::from(Ipv4Addr::from(octets).to_ipv6_mapped()), 5000).into()
            }
            Self::Relayed(port) => SocketAddr::from(([203, 0, 113, 1], port)),
            Self::V6(octets) => (IpAddr::from(octets), 5000).into(),
        }
    }
}

struct World {
    server: Server,
    now: Instant,
    unix: u64,
    nonces: Vec<Vec<u8>>,
    relays: Vec<RelayId>,
    open: HashSet<RelayId>,
    transactions: u32,
    opens: bool,
}

fuzz_target!(|steps: Vec<Step>| {
    let now = Instant::now();
    let mut config = Config::new(SECRET, [7; 32]);
    config.interfaces = vec![IpAddr::from([203, 0, 113, 1])];
    let mut world = World {
        server: Server::new(config, now),
        now,
        unix: 1_000_000,
        nonces: vec![Vec::new(); usize::from(CLIENTS)],
        relays: Vec::new(),
        open: HashSet::new(),
        transactions: 0,
        opens: true,
    };
    for step in steps {
        world.take(step);
        assert!(world.server.allocations() <= usize::from(CLIENTS), "one allocation a client");
    }
    world.wait(u64::from(u16::MAX));
    assert_eq!(world.server.allocations(), 0, "every allocation ends");
    assert!(world.open.is_empty(), "every relayed socket is closed");
});

impl World {
    fn take(&mut self, step: Step) {
        match step {
            Step::Allocate { who, even, opens } => {
                self.opens = opens;
                let even = even.map(|byte| (EVEN_PORT, vec![byte]));
                let attributes = [(REQUESTED_TRANSPORT, vec![17, 0, 0, 0])];
                self.request(who, Method::ALLOCATE, attributes.into_iter().chain(even), None);
            }
            Step::Refresh { who, seconds } => {
                let lifetime = u32::from(seconds).to_be_bytes().to_vec();
                self.request(who, Method::REFRESH, [(LIFETIME, lifetime)], None);
            }
            Step::Permit { who, peer } => {
                self.request(who, Method::CREATE_PERMISSION, [], Some(peer.address()));
            }
            Step::Bind { who, number, peer } => {
                let [high, low] = number.to_be_bytes();
                let number = [(CHANNEL_NUMBER, vec![high, low, 0, 0])];
                self.request(who, Method::CHANNEL_BIND, number, Some(peer.address()));
            }
            Step::Send { who, peer, data } => {
                let mut bytes = Vec::new();
                let transaction = self.transaction();
                Writer::new(&mut bytes, Class::Indication, Method::SEND, transaction)
                    .xor_address(XOR_PEER_ADDRESS, peer.address())
                    .attribute(DATA, &data[..data.len().min(1000)]);
                self.hand(who, &bytes);
            }
            Step::ChannelData { who, number, data } => {
                let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
                let mut bytes = [number.to_be_bytes(), length.to_be_bytes()].concat();
                bytes.extend(data);
                self.hand(who, &bytes);
            }
            Step::FromPeer { relay, peer, data } => {
                if let Some(relay) = self.relays.get(usize::from(relay)) {
                    let sent = self.server.handle_relay(self.now, *relay, peer.address(), &data);
                    check(sent.as_ref());
                }
            }
            Step::Raw { who, bytes } => self.hand(who, &bytes),
            Step::Gone { who } => self.server.handle_client_gone(&client(who)),
            Step::Wait { seconds } => self.wait(u64::from(seconds)),
        }
        self.settle(0);
    }

    fn wait(&mut self, seconds: u64) {
        self.now += Duration::from_secs(seconds);
        self.unix += seconds;
        self.server.handle_timeout(self.now);
        self.settle(0);
    }

    /// A signed request, asked once more with the nonce if the server says which to use.
    fn request(
        &mut self,
        who: u8,
        method: Method,
        attributes: impl IntoIterator<Item = (u16, Vec<u8>)>,
        peer: Option<SocketAddr>,
    ) {
        let index = usize::from(who) % usize::from(CLIENTS);
        let credential = Credential::mint(SECRET, self.unix + 3600, "ann");
        let key = Key::long_term(&credential.username, "moim", &credential.password);
        let attributes: Vec<_> = attributes.into_iter().collect();
        for _ in 0..2 {
            let mut bytes = Vec::new();
            let transaction = self.transaction();
            let mut writer = Writer::new(&mut bytes, Class::Request, method, transaction);
            for (kind, value) in &attributes {
                writer.attribute(*kind, value);
            }
            if let Some(peer) = peer {
                writer.xor_address(XOR_PEER_ADDRESS, peer);
            }
            writer.attribute(USERNAME, credential.username.as_bytes());
            writer.attribute(REALM, b"moim").attribute(NONCE, &self.nonces[index]);
            writer.integrity(&key).fingerprint();
            self.hand(who, &bytes);
        }
    }

    fn transaction(&mut self) -> TransactionId {
        self.transactions += 1;
        let mut id = [0; 12];
        id[..4].copy_from_slice(&self.transactions.to_be_bytes());
        TransactionId(id)
    }

    fn hand(&mut self, who: u8, bytes: &[u8]) {
        let from = client(who);
        let sent = self.server.handle_client(self.now, self.unix, &from, bytes);
        check(sent.as_ref());
        if let Some(nonce) = sent.as_ref().and_then(nonce_of) {
            self.nonces[usize::from(who) % usize::from(CLIENTS)] = nonce;
        }
        self.settle(0);
    }

    /// Does what the server wants done with relayed sockets.
    fn settle(&mut self, depth: u32) {
        assert!(depth < 100, "a port that is taken is not tried for ever");
        let Some(output) = self.server.poll_output() else { return };
        match output {
            Output::OpenRelay { relay, .. } => {
                let opened = if self.opens { Ok(()) } else { Err(OpenFailed::PortTaken) };
                if opened.is_ok() {
                    assert!(self.open.insert(relay), "each relay is opened once");
                    self.relays.push(relay);
                }
                check(self.server.handle_relay_opened(self.now, relay, opened).as_ref());
            }
            Output::CloseRelay { relay } => _ = self.open.remove(&relay),
        }
        self.settle(depth + 1);
    }
}

fn client(who: u8) -> FiveTuple {
    FiveTuple {
        transport: if who % 2 == 0 { Transport::Udp } else { Transport::Tcp },
        client: SocketAddr::from(([192, 0, 2, 1], 4000 + u16::from(who) % CLIENTS)),
        server: SocketAddr::from(([203, 0, 113, 1], 3478)),
    }
}

fn nonce_of(sent: &Forward<'_>) -> Option<Vec<u8>> {
    let Forward::Client(to) = sent else { return None };
    let mut bytes = Vec::new();
    to.write_into(&mut bytes);
    Message::parse(&bytes).ok()?.attribute(NONCE).map(<[u8]>::to_vec)
}

/// What leaves for a peer goes to no address that is denied.
fn check(sent: Option<&Forward<'_>>) {
    if let Some(Forward::Peer(to)) = sent {
        let ip = to.to.ip().to_canonical();
        assert!(!ip.is_loopback() && !ip.is_unspecified() && !ip.is_multicast(), "{ip} is denied");
        assert!(!matches!(ip, IpAddr::V4(ip) if ip.is_private() || ip.is_link_local()), "{ip}");
    }
}
