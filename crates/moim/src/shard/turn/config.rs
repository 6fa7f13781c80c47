//! The configuration of the TURN service.

use std::{io, net::SocketAddr, ops::RangeInclusive, sync::Arc, time::Instant};

use turn::siblings::Sibling;

use super::{dtls::DtlsEndpoint, frozen::RelayState, room_credentials::RoomCredentials};
use crate::{
    config::Limits,
    net::{reachable::ReachableAddresses, tls::CurrentCertificate},
    shard::random::random_bytes,
};

/// The configuration of TURN on all shards.
pub(crate) struct Config {
    /// Certificate for clients over DTLS.
    pub(crate) certificate: Arc<CurrentCertificate>,
    /// HMAC secrets of REST credentials; each is valid.
    pub(crate) secrets: Vec<Vec<u8>>,
    /// Credentials of rooms, where there are rooms.
    pub(crate) rooms: Option<RoomCredentials>,
    /// Allows TCP allocations with credentials of rooms.
    pub(crate) member_tcp: bool,
    /// The nonces and allocations of the process before.
    pub(crate) state: RelayState,
    /// Users and their passwords.
    pub(crate) users: Vec<(String, String)>,
    pub(crate) realm: String,
    /// Ports of relayed addresses.
    pub(crate) ports: RangeInclusive<u16>,
    /// Addresses for NAT behaviour discovery (RFC 5780).
    pub(crate) discovery: Option<turn::Discovery>,
    /// Limits on allocations and bandwidth.
    pub(crate) limits: Limits,
    /// Exceptions to the default list of denied peer addresses.
    pub(crate) allow: Vec<turn::Cidr>,
}

/// Settings that a reload replaces.
pub(crate) struct Settings {
    pub(crate) secrets: Vec<Vec<u8>>,
    pub(crate) users: Vec<turn::User>,
    pub(crate) allow: Vec<turn::Cidr>,
    pub(crate) member_tcp: bool,
    pub(crate) limits: Limits,
}

/// Creates the server configuration of each shard.
pub(crate) struct TurnConfigs<'a> {
    config: &'a Config,
    seed: [u8; 32],
    users: Vec<turn::User>,
    addresses: &'a ReachableAddresses,
    /// Ports of the SFU and of this server.
    services: Vec<u16>,
}

impl<'a> TurnConfigs<'a> {
    /// Prepares the parts that all shards have in common.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub(crate) fn new(config: &'a Config, addresses: &'a ReachableAddresses) -> io::Result<Self> {
        let user =
            |(name, password): &(String, String)| turn::User::new(name, &config.realm, password);
        Ok(Self {
            config,
            seed: random_bytes()?,
            users: config.users.iter().map(user).collect(),
            services: service_ports(addresses),
            addresses,
        })
    }

    /// Creates the configuration of one shard.
    pub(crate) fn for_shard(&self, sibling: &Sibling) -> turn::Config {
        let config = self.config;
        let interfaces = self.addresses.interfaces();
        turn::Config {
            announce: self.addresses.announced().iter().map(|announce| announce.ip).collect(),
            interfaces: interfaces.addresses.clone(),
            links: interfaces.links.clone(),
            allow: config.allow.clone(),
            ports: sibling.ports(),
            media: self.services.clone(),
            shard: sibling.index(),
            sibling: sibling.clone(),
            realm: config.realm.clone(),
            secrets: config.secrets.clone(),
            users: self.users.clone(),
            nonces: Some(config.state.nonces.clone()),
            rooms: config.rooms.as_ref().map(RoomCredentials::rooms),
            member_tcp: config.member_tcp,
            discovery: config.discovery,
            tcp: true,
            services: self.services.clone(),
            limits: limits(&config.limits),
            ..turn::Config::new(&[][..], self.seed)
        }
    }
}

/// The port numbers by which clients and peers reach this server: those listened on, and those that
/// a NAT maps to them.
pub(super) fn service_ports(addresses: &ReachableAddresses) -> Vec<u16> {
    let ports = addresses.listen().iter().map(SocketAddr::port);
    let outside = |port| addresses.announced().iter().map(move |at| at.port(port));
    let mut services: Vec<_> = ports.flat_map(|port| outside(port).chain([port])).collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// Every shard has the limits of the whole server: shards count together.
pub(super) fn limits(limits: &Limits) -> turn::Limits {
    /// A kilobit is 1000 bits.
    const BYTES_PER_KILOBIT: u64 = 125;
    let bytes = |kilobits: u64| kilobits.saturating_mul(BYTES_PER_KILOBIT);
    turn::Limits {
        allocations: limits.allocations,
        allocations_per_user: limits.allocations_per_user,
        allocations_per_address: limits.allocations_per_address,
        bandwidth: limits.bandwidth.map(bytes),
        user_bandwidth: limits.bandwidth_per_user.map(bytes),
        address_bandwidth: limits.bandwidth_per_address.map(bytes),
        ..turn::Limits::default()
    }
}

/// Creates a shard's endpoint for clients over DTLS.
///
/// # Errors
/// The system gives no randomness, or the crypto library fails its self-test.
pub(crate) fn dtls_endpoint(config: &Config) -> io::Result<DtlsEndpoint> {
    let certificate = Arc::clone(&config.certificate);
    DtlsEndpoint::new(certificate, random_bytes()?, Instant::now()).map_err(io::Error::other)
}
