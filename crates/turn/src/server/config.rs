//! What an operator decides about a server.

use std::{net::IpAddr, ops::RangeInclusive, time::Duration};

use crate::{Cidr, Discovery, MemberCredentials, User, siblings::Sibling};

/// Dynamic ports (RFC 8656 §7.2).
pub const PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// How a server is set up.
#[derive(Clone)]
pub struct Config {
    /// Told to clients, part of every key.
    pub realm: String,
    /// Check REST credentials, see [`crate::rest`]; any of them will do, so that one may follow
    /// another. None if there are to be no such credentials.
    pub secrets: Vec<Vec<u8>>,
    /// Users known by name. Where there are no secrets, clients are asked to hide their names.
    pub users: Vec<User>,
    /// Check credentials of rooms, if there are rooms.
    pub rooms: Option<MemberCredentials>,
    /// Whether credentials of rooms are good for TCP allocations: no browser asks for one.
    pub member_tcp: bool,
    /// The addresses told to clients instead of those relayed sockets have, at most one a family:
    /// for a server behind 1:1 NAT.
    pub announce: Vec<IpAddr>,
    /// This machine's addresses. A relayed socket is bound to the address its client's packets
    /// arrived at; for the other family, to the first of these that will do.
    pub interfaces: Vec<IpAddr>,
    /// Prefixes of this machine's interfaces: peers on its links are denied.
    pub links: Vec<Cidr>,
    /// Ranges that peers may be in although the default list denies them.
    pub allow: Vec<Cidr>,
    /// Ports of relayed sockets.
    pub ports: RangeInclusive<u16>,
    /// Which one of several servers with ports of their own this is.
    pub sibling: Sibling,
    /// Ports of this machine's addresses where the media server takes datagrams: a permitted peer
    /// although it is no relayed address.
    pub media: Vec<u16>,
    /// Whether clients may have TCP allocations (RFC 6062). The driver must know how.
    pub tcp: bool,
    /// Ports of this machine's own services, to which no TCP connection is made.
    pub services: Vec<u16>,
    /// The upper byte of connection ids, to tell those of several servers apart.
    pub shard: u8,
    /// From the operating system's randomness: makes ports and nonces unpredictable.
    pub seed: [u8; 32],
    /// Whether clients may move to other addresses and keep their allocations (RFC 8016).
    pub mobility: bool,
    /// Whether relayed sockets can send datagrams that must not be fragmented (DONT-FRAGMENT).
    pub dont_fragment: bool,
    /// The addresses by which clients find out how their NAT behaves; none where there is but one
    /// address or port.
    pub discovery: Option<Discovery>,
    /// How much of everything.
    pub limits: Limits,
}

impl Config {
    /// A server with this secret and seed, and defaults for all else.
    #[must_use]
    pub fn new(secret: impl Into<Vec<u8>>, seed: [u8; 32]) -> Self {
        Self {
            realm: "moim".into(),
            secrets: vec![secret.into()],
            users: Vec::new(),
            rooms: None,
            member_tcp: false,
            announce: Vec::new(),
            interfaces: Vec::new(),
            links: Vec::new(),
            allow: Vec::new(),
            ports: PORTS,
            sibling: Sibling::alone(PORTS),
            media: Vec::new(),
            tcp: false,
            services: Vec::new(),
            shard: 0,
            seed,
            mobility: true,
            dont_fragment: true,
            discovery: None,
            limits: Limits::default(),
        }
    }
}

/// Bounds on what clients can take.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Allocations and reserved ports in all.
    pub allocations: usize,
    /// Allocations and reserved ports of one user. A browser makes one for each of our addresses and transports, each
    /// of its interfaces and each of its connections.
    pub allocations_per_user: usize,
    /// Allocations and reserved ports of one client address (of IPv6: one /64), loopback excepted.
    /// However few others there are, one address has no more than a quarter of what is free, or
    /// 64 where that is more.
    pub allocations_per_address: usize,
    /// Peer addresses a client may have permitted at a time.
    pub permissions: usize,
    /// Channels a client may have bound at a time.
    pub channels: usize,
    /// Connections to peers of TCP allocations in all.
    pub connections: usize,
    /// Connections to peers of one TCP allocation.
    pub connections_per_allocation: usize,
    /// Of an allocation whose client asks for none (RFC 8656 §3.2: 10 minutes).
    pub default_lifetime: Duration,
    /// The longest a client may ask for.
    pub max_lifetime: Duration,
    /// How long a port is reserved (RFC 8656 §7.2: at least 30 seconds).
    pub reservation: Duration,
    /// Payload bytes a second relayed for one user, both ways together; a second's worth may come
    /// at once. Unlimited if none.
    pub user_bandwidth: Option<u64>,
    /// The same for all clients of one address (of IPv6: one /64), loopback excepted.
    pub address_bandwidth: Option<u64>,
    /// Payload bytes a second relayed for all users.
    pub bandwidth: Option<u64>,
    /// After this a client is told of a new nonce (438).
    pub nonce_lifetime: Duration,
    /// Answers a second to those of one /24 or /64 who have not proven who they are; to one
    /// address where they come over a stream, which proves it.
    pub unauthenticated_per_second: u32,
    /// How many of those answers may come at once.
    pub unauthenticated_burst: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 12_000,
            allocations_per_user: 200,
            allocations_per_address: 1000,
            permissions: 256,
            channels: 256,
            connections: 4096,
            connections_per_allocation: 64,
            default_lifetime: Duration::from_secs(600),
            max_lifetime: Duration::from_secs(3600),
            reservation: Duration::from_secs(30),
            user_bandwidth: None,
            address_bandwidth: None,
            bandwidth: None,
            nonce_lifetime: Duration::from_secs(3600),
            unauthenticated_per_second: 300,
            unauthenticated_burst: 1000,
        }
    }
}
