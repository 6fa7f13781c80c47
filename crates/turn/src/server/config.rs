//! The configuration of a server.

use std::{fmt, net::IpAddr, ops::RangeInclusive, time::Duration};

use crate::{Cidr, Discovery, MemberCredentials, User, siblings::Sibling};

/// Dynamic ports (RFC 8656 §7.2).
pub const PORTS: RangeInclusive<u16> = 49_152..=65_535;

/// The configuration of a server.
#[derive(Clone)]
pub struct Config {
    /// The realm, sent to clients and part of every key.
    pub realm: String,
    /// Secrets of REST credentials, see [`crate::rest`]. All are accepted, so that secrets can be
    /// rotated. Empty to accept no such credentials.
    pub secrets: Vec<Vec<u8>>,
    /// Users with fixed passwords. Without secrets, clients are asked to send USERHASH.
    pub users: Vec<User>,
    /// The issuer of room credentials, if they are accepted.
    pub rooms: Option<MemberCredentials>,
    /// Room credentials may make TCP allocations. No browser asks for one.
    pub member_tcp: bool,
    /// Addresses by which others know this machine behind a NAT. The first of each family is
    /// advertised to clients in place of the one that a relayed socket is bound to.
    pub announce: Vec<IpAddr>,
    /// Addresses of this machine. A relayed socket is bound to the address that its client's
    /// packets arrive at; for the other family, to the first usable one of these.
    pub interfaces: Vec<IpAddr>,
    /// Prefixes of this machine's interfaces. Peers in them are denied.
    pub links: Vec<Cidr>,
    /// Ranges whose peers are allowed although the default list denies them.
    pub allow: Vec<Cidr>,
    /// Ports of relayed sockets.
    pub ports: RangeInclusive<u16>,
    /// The share of the ports that this server owns.
    pub sibling: Sibling,
    /// Ports where this machine's media server receives datagrams. It is a permitted peer although
    /// it has no relayed address.
    pub media: Vec<u16>,
    /// Clients may make TCP allocations (RFC 6062). The driver must support them.
    pub tcp: bool,
    /// Ports of this machine's own services, which no TCP connection may reach.
    pub services: Vec<u16>,
    /// The shard number: the first byte of tickets, reservation tokens and connection ids.
    pub shard: u8,
    /// Randomness from the operating system, for unpredictable ports and nonces.
    pub seed: [u8; 32],
    /// The key of nonces that a server of this name issued before, and their clock; otherwise the
    /// seed makes a key.
    pub nonces: Option<NonceKey>,
    /// Clients may move their allocations to other addresses (RFC 8016).
    pub mobility: bool,
    /// Relayed sockets can send datagrams that must not be fragmented (DONT-FRAGMENT).
    pub dont_fragment: bool,
    /// The addresses of NAT behavior discovery; `None` for a server with one address or one port.
    pub discovery: Option<Discovery>,
    /// Limits on what clients may use.
    pub limits: Limits,
}

impl Config {
    /// A configuration with this secret and seed, and defaults otherwise.
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
            nonces: None,
            mobility: true,
            dont_fragment: true,
            discovery: None,
            limits: Limits::default(),
        }
    }
}

/// The key of nonces, by which a server knows those that were issued before it started.
#[derive(Clone, PartialEq, Eq)]
pub struct NonceKey {
    /// The key.
    pub key: [u8; 32],
    /// The clock of nonces at the start, in seconds.
    pub seconds: u64,
}

/// Omits the key.
impl fmt::Debug for NonceKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NonceKey").field("seconds", &self.seconds).finish_non_exhaustive()
    }
}

/// Limits on what clients may use.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Allocations and reserved ports in total.
    pub allocations: usize,
    /// Allocations and reserved ports of one user. A browser makes one per server address,
    /// transport, network interface and peer connection.
    pub allocations_per_user: usize,
    /// Allocations and reserved ports of one client address (of IPv6: one /64), loopback excepted.
    /// Independently of it, one address may hold a quarter of what is free, or 64 if that is more.
    pub allocations_per_address: usize,
    /// Permissions of one allocation.
    pub permissions: usize,
    /// Channels of one allocation.
    pub channels: usize,
    /// Connections to peers of TCP allocations in total.
    pub connections: usize,
    /// Connections to peers of one TCP allocation.
    pub connections_per_allocation: usize,
    /// Lifetime of an allocation whose client asks for none (RFC 8656 §3.2: 10 minutes).
    pub default_lifetime: Duration,
    /// Maximum lifetime that a client may ask for.
    pub max_lifetime: Duration,
    /// Lifetime of a reservation (RFC 8656 §7.2: at least 30 seconds).
    pub reservation: Duration,
    /// Relayed payload in bytes per second for one user, both directions together, with a burst of
    /// one second's worth. `None` is unlimited.
    pub user_bandwidth: Option<u64>,
    /// The same for all clients of one address (of IPv6: one /64), loopback excepted.
    pub address_bandwidth: Option<u64>,
    /// Relayed payload in bytes per second for all users.
    pub bandwidth: Option<u64>,
    /// Lifetime of a nonce; later requests are answered with 438 (Stale Nonce).
    pub nonce_lifetime: Duration,
    /// Responses per second to unauthenticated clients of one /24 or /64, or of one address over a
    /// transport that validates addresses.
    pub unauthenticated_per_second: u32,
    /// Burst of those responses.
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
