//! The server: its face, and who does what with a packet.

mod accounts;
mod allocations;
mod answered;
mod auth;
mod config;
mod connections;
mod counters;
mod data;
mod elsewhere;
mod forward;
mod icmp;
mod peers;
mod refusal;
mod requests;
mod respond;
mod tcp;
mod wheel;

pub use allocations::RelayId;
pub use answered::Answered;
pub use config::{Config, Limits, PORTS};
pub use connections::ConnectionId;
pub use counters::Counters;
pub use forward::{Forward, Head, ToClient, ToMedia, ToPeer, ToSibling};
pub use icmp::IcmpError;
pub use tcp::{ConnectFailed, TcpOutput};

use crate::credentials::Credentials;
use crate::nonce::{Features, Nonces};
use crate::policy::Policy;
use crate::rate::RateLimit;
use crate::stun::{Class, Message, Method};
use crate::ticket::Tickets;
use crate::{Cidr, FiveTuple, Transport};
use accounts::AllAccounts;
use allocations::{Allocations, Removed};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use connections::Connections;
use elsewhere::Elsewhere;
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

/// What a server wants done with relayed sockets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Open a UDP socket bound to `local` and say so with [`Server::handle_relay_opened`].
    OpenRelay {
        /// Its name from now on.
        relay: RelayId,
        /// Where to bind it.
        local: SocketAddr,
    },
    /// Close it; packets that still come from it are not wanted.
    CloseRelay {
        /// The one to close.
        relay: RelayId,
    },
}

/// Why a relayed socket could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenFailed {
    /// Somebody else has the port: another one may do.
    PortTaken,
    /// No other port would help.
    NoSocket,
}

/// A STUN and TURN server.
pub struct Server {
    config: Config,
    /// When the first of the siblings started.
    start: Instant,
    policy: Policy,
    credentials: Credentials,
    nonces: Nonces,
    tickets: Tickets,
    rate: RateLimit,
    rng: StdRng,
    allocations: Allocations,
    connections: Connections,
    elsewhere: Elsewhere,
    tcp_outputs: VecDeque<TcpOutput>,
    outputs: VecDeque<Output>,
    /// The response under way; every response is written here.
    reply: Vec<u8>,
    counters: Counters,
}

impl Server {
    /// A server without allocations. `now` is when it starts.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        let mut rng = StdRng::from_seed(config.seed);
        let limits = &config.limits;
        let mut key = || rng.random::<[u8; 32]>();
        let nobody = STANDARD.encode(key());
        let (secrets, users) = (config.secrets.clone(), config.users.clone());
        let rooms = config.rooms.clone();
        let credentials = Credentials::new(&config.realm, secrets, users, rooms, &nobody);
        let features = Features {
            password_algorithms: true,
            username_anonymity: credentials.knows_all_names(),
        };
        let (nonce, mac, mask) = (key(), key(), key());
        // Siblings of one seed have these keys in common, and nothing else to guess by.
        let seed = (0..=config.shard).map(|_| key()).last().unwrap_or(nonce);
        let mut policy = Policy::new(config.allow.clone(), config.announce.clone());
        policy.set_interfaces(&config.interfaces, &config.links);
        let accounts = AllAccounts::new(now, &config.sibling, limits);
        Self {
            start: config.sibling.start(now),
            policy,
            credentials,
            nonces: Nonces::new(&nonce, limits.nonce_lifetime.as_secs(), features),
            tickets: Tickets::new(config.shard, &mac, &mask),
            rate: RateLimit::new(now, limits.unproven_per_second, limits.unproven_burst),
            rng: StdRng::from_seed(seed),
            allocations: Allocations::new(now, accounts),
            connections: Connections::default(),
            elsewhere: Elsewhere::new(limits.allocations, limits.max_lifetime),
            tcp_outputs: VecDeque::new(),
            outputs: VecDeque::new(),
            reply: Vec::new(),
            counters: Counters::default(),
            config,
        }
    }

    /// Takes in what a client sent: a datagram, or one message out of its stream. Returns the one
    /// packet that comes of it, if any. `unix_now` (seconds since 1970) tells which credentials
    /// and nonces have ended.
    pub fn handle_client<'a>(
        &'a mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        if let Some(0x40..=0x7F) = datagram.first() {
            return self.channel_data(now, from, datagram);
        }
        let Ok(message) = Message::parse(datagram) else {
            self.counters.dropped_malformed += 1;
            return None;
        };
        match (message.class(), message.method()) {
            (Class::Indication, Method::SEND) => self.send(now, from, &message),
            (Class::Request, Method::BINDING) => self.binding(now, from, &message),
            (Class::Request, _) => match self.wanted(from, &message) {
                None if self.elsewhere.renew(now, from) => self.pass_on(now, from, datagram),
                wanted => self.request(now, unix_now, from, &message, wanted),
            },
            // A keep-alive (RFC 8489 §3): having arrived is all it is for.
            (Class::Indication, Method::BINDING) => None,
            _ => {
                self.counters.dropped_unexpected += 1;
                None
            }
        }
    }

    /// Takes in a datagram that `peer` sent to a relayed address.
    pub fn handle_relay<'a>(
        &'a mut self,
        now: Instant,
        relay: RelayId,
        peer: SocketAddr,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
        self.relayed_datagram(now, relay, peer, datagram)
    }

    /// Takes in what a sibling's client sent to the relayed address `to`; `source` is the relayed
    /// address of that client.
    pub fn handle_sibling<'a>(
        &'a mut self,
        now: Instant,
        source: SocketAddr,
        to: &SocketAddr,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        self.handed_over(now, source, to, datagram)
    }

    /// Takes in a message of a client over UDP that a sibling passed on. It goes no further.
    pub fn handle_passed_on<'a>(
        &'a mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        self.elsewhere.forget(from);
        if let Some(0x40..=0x7F) = datagram.first() {
            return self.channel_data(now, from, datagram);
        }
        let message = Message::parse(datagram).ok()?;
        match (message.class(), message.method()) {
            (Class::Indication, Method::SEND) => self.send(now, from, &message),
            (Class::Request, _) => self.request(now, unix_now, from, &message, None),
            _ => None,
        }
    }

    /// Which of the servers of this machine has a relayed address, by
    /// [`Sibling::index`](crate::siblings::Sibling::index); so that the media server can hand over
    /// what it sends there.
    #[must_use]
    pub fn relayed_by(&self, to: &SocketAddr) -> Option<u8> {
        self.relay_at(to)
    }

    /// Takes in how opening a relayed socket went; returns the answer to who asked for it.
    pub fn handle_relay_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
        opened: Result<(), OpenFailed>,
    ) -> Option<Forward<'_>> {
        match opened {
            Ok(()) => self.opened(now, relay),
            Err(why) => self.not_opened(now, relay, why),
        }
    }

    /// Takes in that a client's stream has ended, and with it what it was for: a connection to a
    /// peer or an allocation, unless the client may come back from elsewhere to have that again.
    pub fn handle_client_gone(&mut self, client: &FiveTuple) {
        self.disconnect_client(client);
        match self.allocations.of_client(client) {
            Some((relay, made)) if made.moves.is_some() && made.birth.tries.is_none() => {
                self.allocations.detach(relay);
            }
            Some((relay, _)) => self.end(relay),
            None => {}
        }
    }

    /// Ends allocations, reservations and connections whose time is up.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire_connections(now);
        while let Some(relay) = self.allocations.due(now) {
            self.end(relay);
        }
    }

    /// Ends what participants hold who are members no longer.
    pub fn handle_members_left(&mut self) {
        for relay in self.allocations.of_members(|name| !self.credentials.has_member(name)) {
            self.end(relay);
        }
    }

    /// When [`Self::handle_timeout`] is next wanted.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ends = [self.allocations.next_expiry(), self.connections.next_deadline()];
        ends.into_iter().flatten().min()
    }

    /// This machine has these addresses and stands on these links from now on.
    pub fn set_interfaces(&mut self, addresses: Vec<IpAddr>, links: &[Cidr]) {
        self.policy.set_interfaces(&addresses, links);
        self.config.interfaces = addresses;
    }

    /// The next thing to do with relayed sockets.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// What has been done so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// How many allocations there are.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// Whether a client has an allocation, or its stream is joined with a peer's.
    #[must_use]
    pub fn has_allocation(&self, client: &FiveTuple) -> bool {
        self.allocations.of_client(client).is_some() || self.connections.of_client(client).is_some()
    }

    /// How much a user holds, of this server and its siblings.
    #[must_use]
    pub fn held_by_user(&self, user: &str) -> usize {
        self.allocations.accounts.held_by_user(user)
    }

    /// How much the clients of an address (of IPv6: a /64) hold, of this server and its siblings.
    #[must_use]
    pub fn held_by_address(&self, client: IpAddr) -> usize {
        self.allocations.accounts.held_by_address(client)
    }

    /// How many ports are reserved for allocations to come.
    #[must_use]
    pub fn reservations(&self) -> usize {
        self.allocations.held() - self.allocations.len()
    }

    /// Seconds by which nonces end: of a clock that never jumps, and that siblings have in common.
    fn nonce_time(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.start).as_secs()
    }

    fn end(&mut self, relay: RelayId) {
        let Some(removed) = self.allocations.remove(relay) else { return };
        let Removed::Allocation(made) = removed else {
            return self.outputs.push_back(Output::CloseRelay { relay });
        };
        self.counters.ended += 1;
        if made.is_tcp() {
            self.disconnect_all(relay);
            return self.tcp_outputs.push_back(TcpOutput::Unlisten { relay });
        }
        let second = made.second.map(|(second, _)| second);
        for relay in std::iter::once(relay).chain(second) {
            self.outputs.push_back(Output::CloseRelay { relay });
        }
    }
}

/// ChannelData fills whole words in a stream; in a datagram it need not (RFC 8656 §12.5).
fn channel_padding(transport: Transport, payload: usize) -> usize {
    if transport.is_stream() { payload.next_multiple_of(4) - payload } else { 0 }
}
