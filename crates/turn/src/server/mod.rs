//! The server: its public interface, and the dispatch of each packet to the file of its topic.

mod accounts;
mod allocation;
mod allocations;
mod auth;
mod config;
mod connections;
mod counters;
mod data;
mod forward;
mod freezing;
mod frozen;
mod icmp;
mod output;
mod peers;
mod rejection;
mod relay_id;
mod requests;
mod respond;
mod response_counts;
mod shard_routes;
mod tcp;
mod transaction;
mod wheel;

pub use config::{Config, Limits, NonceKey, PORTS};
pub use connections::ConnectionId;
pub use counters::Counters;
pub use forward::{Forward, Header, ToClient, ToMedia, ToPeer, ToShard};
pub use frozen::{FrozenAllocation, FrozenAllocations};
pub use icmp::IcmpError;
pub use output::{ConnectPeerError, OpenRelayError, Output, TcpOutput};
pub use relay_id::RelayId;
pub use response_counts::ResponseCounts;

use std::{
    collections::VecDeque,
    net::{IpAddr, SocketAddr},
    time::Instant,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};

use self::{
    accounts::Accounts,
    allocations::{Allocations, Removed},
    connections::Connections,
    shard_routes::ShardRoutes,
};
use crate::{
    Cidr, FiveTuple, channel,
    credentials::Credentials,
    nonce::{Features, Nonces},
    policy::Policy,
    rate::RateLimit,
    stun::{Class, Message, Method},
    ticket::Tickets,
};

/// A STUN and TURN server.
pub struct Server {
    config: Config,
    /// Start of the first of the siblings.
    start: Instant,
    policy: Policy,
    credentials: Credentials,
    nonces: Nonces,
    /// The clock of nonces at the start, in seconds.
    nonces_began: u64,
    tickets: Tickets,
    rate: RateLimit,
    rng: StdRng,
    allocations: Allocations,
    connections: Connections,
    shard_routes: ShardRoutes,
    tcp_outputs: VecDeque<TcpOutput>,
    outputs: VecDeque<Output>,
    /// The buffer that every response is written into.
    reply: Vec<u8>,
    counters: Counters,
    /// Requests are dropped, since the next process is to answer them.
    holds_requests: bool,
}

impl Server {
    /// A server without allocations that starts at `now`.
    #[must_use]
    pub fn new(config: Config, now: Instant) -> Self {
        let mut rng = StdRng::from_seed(config.seed);
        let limits = &config.limits;
        let mut key = || rng.random::<[u8; 32]>();
        let dummy_password = STANDARD.encode(key());
        let credentials = Credentials::new(
            &config.realm,
            config.secrets.clone(),
            config.users.clone(),
            config.rooms.clone(),
            &dummy_password,
        );
        let features = Features {
            password_algorithms: true,
            username_anonymity: credentials.knows_all_names(),
        };
        let (nonce, mac, mask) = (key(), key(), key());
        let nonces = config.nonces.clone().unwrap_or(NonceKey { key: nonce, seconds: 0 });
        // Siblings with the same seed share the keys above; each has its own random numbers.
        let seed = (0..=config.shard).map(|_| key()).last().unwrap_or(nonce);
        let mut policy = Policy::new(config.allow.clone(), config.announce.clone());
        policy.set_interfaces(&config.interfaces, &config.links);
        let accounts = Accounts::new(now, &config.sibling, limits);
        Self {
            start: config.sibling.start(now),
            nonces_began: nonces.seconds,
            policy,
            credentials,
            nonces: Nonces::new(&nonces.key, limits.nonce_lifetime.as_secs(), features),
            tickets: Tickets::new(config.shard, &mac, &mask),
            rate: RateLimit::new(
                now,
                limits.unauthenticated_per_second,
                limits.unauthenticated_burst,
            ),
            rng: StdRng::from_seed(seed),
            allocations: Allocations::new(now, accounts),
            connections: Connections::default(),
            shard_routes: ShardRoutes::new(limits.allocations, limits.max_lifetime),
            tcp_outputs: VecDeque::new(),
            outputs: VecDeque::new(),
            reply: Vec::new(),
            counters: Counters::default(),
            holds_requests: false,
            config,
        }
    }

    /// Handles a packet from a client: a datagram, or one message of its stream. Returns the packet
    /// to send, if any. `unix_now` (seconds since 1970) decides which credentials have expired.
    pub fn handle_client<'a>(
        &'a mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        if channel::is_channel_data(datagram) {
            return self.channel_data(now, from, datagram);
        }
        let Ok(message) = Message::parse(datagram) else {
            self.counters.dropped_malformed += 1;
            return None;
        };
        match (message.class(), message.method()) {
            (Class::Indication, Method::SEND) => self.send(now, from, &message),
            (Class::Request, Method::BINDING) => self.binding(now, from, &message),
            (Class::Request, _) => match self.requested_shard(from, &message) {
                None if self.shard_routes.renew(now, from) => {
                    self.forward_by_route(now, from, datagram)
                }
                requested => self.request(now, unix_now, from, &message, requested),
            },
            // A keep-alive (RFC 8489 §3): nothing to do.
            (Class::Indication, Method::BINDING) => None,
            _ => {
                self.counters.dropped_unexpected += 1;
                None
            }
        }
    }

    /// Handles a datagram that `peer` sent to a relayed address.
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

    /// Handles data that another shard's client sent to the relayed address `to` of this shard.
    /// `source` is that client's relayed address.
    pub fn handle_forwarded_data<'a>(
        &'a mut self,
        now: Instant,
        source: SocketAddr,
        to: &SocketAddr,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        self.forwarded_data(now, source, to, datagram)
    }

    /// Handles a client's message over UDP that arrived at another shard. It is never forwarded
    /// again.
    pub fn handle_forwarded<'a>(
        &'a mut self,
        now: Instant,
        unix_now: u64,
        from: &FiveTuple,
        datagram: &'a [u8],
    ) -> Option<Forward<'a>> {
        self.shard_routes.forget(from);
        if channel::is_channel_data(datagram) {
            return self.channel_data(now, from, datagram);
        }
        let message = Message::parse(datagram).ok()?;
        match (message.class(), message.method()) {
            (Class::Indication, Method::SEND) => self.send(now, from, &message),
            (Class::Request, _) => self.request(now, unix_now, from, &message, None),
            _ => None,
        }
    }

    /// The shard of this machine that owns a relayed address, by
    /// [`Sibling::index`](crate::siblings::Sibling::index). The media server hands data for it to
    /// that shard without the network.
    #[must_use]
    pub fn relay_shard(&self, to: &SocketAddr) -> Option<u8> {
        self.shard_of_relay(to)
    }

    /// The transport of the client whose allocation on this shard has this relayed address.
    #[must_use]
    pub fn client_transport(&self, relayed: &SocketAddr) -> Option<crate::Transport> {
        let relay = self.allocations.at(relayed)?;
        Some(self.allocations.owner(relay)?.client.transport)
    }

    /// Handles the result of opening a relayed socket. Returns the response to the Allocate request
    /// once all of its sockets are open, or an error response.
    pub fn handle_relay_opened(
        &mut self,
        now: Instant,
        relay: RelayId,
        opened: Result<(), OpenRelayError>,
    ) -> Option<Forward<'_>> {
        match opened {
            Ok(()) => self.relay_opened(now, relay),
            Err(error) => self.relay_failed(now, relay, error),
        }
    }

    /// Handles the end of a client's stream. Ends the allocation or the peer connection that it
    /// belonged to, except an allocation with mobility: its client may return with a ticket.
    pub fn handle_client_closed(&mut self, client: &FiveTuple) {
        self.disconnect_client(client);
        match self.allocations.of_client(client) {
            Some((relay, allocation))
                if allocation.mobility_seq.is_some() && !allocation.is_opening() =>
            {
                self.allocations.detach(relay);
            }
            Some((relay, _)) => self.end(relay),
            None => {}
        }
    }

    /// Ends allocations, reservations and connections that have expired.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.expire_connections(now);
        while let Some(relay) = self.allocations.due(now) {
            self.end(relay);
        }
    }

    /// Ends the allocations and reservations of participants that have left their rooms.
    pub fn handle_members_left(&mut self) {
        for relay in self.allocations.of_members(|name| !self.credentials.has_member(name)) {
            self.end(relay);
        }
    }

    /// The next time to call [`Self::handle_timeout`].
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let ends = [self.allocations.next_expiry(), self.connections.next_deadline()];
        ends.into_iter().flatten().min()
    }

    /// Replaces the addresses of this machine and the prefixes of its links.
    pub fn set_interfaces(&mut self, addresses: Vec<IpAddr>, links: &[Cidr]) {
        self.policy.set_interfaces(&addresses, links);
        self.config.interfaces = addresses;
    }

    /// Replaces the addresses by which others know this machine, and the ports of its services and
    /// its media server. Existing allocations keep their addresses.
    pub fn set_announced(&mut self, announced: Vec<IpAddr>, services: &[u16]) {
        self.policy.set_announced(announced.clone());
        self.config.announce = announced;
        self.config.services = services.to_vec();
        self.config.media = services.to_vec();
    }

    /// Replaces the secrets of REST credentials and the users. Existing allocations go on and may
    /// be refreshed with the credential that made them.
    pub fn set_credentials(&mut self, secrets: Vec<Vec<u8>>, users: Vec<crate::User>) {
        self.credentials.replace(secrets, users);
    }

    /// Replaces the exceptions to the denied ranges, for new permissions and channels.
    pub fn set_allowed(&mut self, allow: Vec<Cidr>, member_tcp: bool) {
        self.policy.set_allowed(allow);
        self.config.member_tcp = member_tcp;
    }

    /// Replaces the limits on allocations and bandwidth. Existing allocations go on.
    pub fn set_quotas(&mut self, limits: &Limits) {
        self.allocations.accounts.set_limits(limits);
    }

    /// The next action on relayed UDP sockets.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// Counts since the start.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    /// Number of allocations.
    #[must_use]
    pub fn allocations(&self) -> usize {
        self.allocations.len()
    }

    /// Returns whether a client has an allocation, or a stream that is joined with a peer's.
    #[must_use]
    pub fn has_allocation(&self, client: &FiveTuple) -> bool {
        self.allocations.of_client(client).is_some() || self.connections.of_client(client).is_some()
    }

    /// Number of allocations and reservations of a user, on all siblings.
    #[must_use]
    pub fn held_by_user(&self, user: &str) -> usize {
        self.allocations.accounts.held_by_user(user)
    }

    /// Number of allocations and reservations of a client address (of IPv6: a /64), on all
    /// siblings.
    #[must_use]
    pub fn held_by_address(&self, client: IpAddr) -> usize {
        self.allocations.accounts.held_by_address(client)
    }

    /// Number of reserved ports.
    #[must_use]
    pub fn reservations(&self) -> usize {
        self.allocations.held() - self.allocations.len()
    }

    /// The clock of nonces in seconds. It is monotonic and shared by all siblings.
    fn nonce_time(&self, now: Instant) -> u64 {
        let here = now.saturating_duration_since(self.start).as_secs();
        self.nonces_began.saturating_add(here)
    }

    fn end(&mut self, relay: RelayId) {
        let Some(removed) = self.allocations.remove(relay) else { return };
        let Removed::Allocation(allocation) = removed else {
            return self.outputs.push_back(Output::CloseRelay { relay });
        };
        self.counters.ended += 1;
        if allocation.is_tcp() {
            self.disconnect_all(relay);
            return self.tcp_outputs.push_back(TcpOutput::Unlisten { relay });
        }
        let second = allocation.second.map(|(second, _)| second);
        for relay in std::iter::once(relay).chain(second) {
            self.outputs.push_back(Output::CloseRelay { relay });
        }
    }
}
