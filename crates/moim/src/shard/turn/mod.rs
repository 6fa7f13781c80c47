//! The relay: STUN and TURN on the one port.
//!
//! Each shard has a [`Relay`] of its own with a [`turn::Server`] and its relayed sockets. TURN
//! clients over TCP and TLS live on the main runtime and exchange whole messages with a shard over
//! bounded queues.

mod answers;
mod client;
mod command;
mod dtls;
mod peers;
mod report;
mod room_credentials;
mod service;
mod stream;
mod upkeep;

use std::{io, net::SocketAddr, ops::RangeInclusive, sync::Arc, time::Instant};

use turn::siblings::Sibling;

use crate::{
    config::{Announce, Limits},
    net::tls::CurrentCertificate,
};
pub(crate) use client::{Client, Unsent, queue};
pub(crate) use command::Command;
pub(crate) use dtls::Endpoint as Sessions;
pub(crate) use peers::Peers;
pub(crate) use report::Report;
pub(crate) use room_credentials::{RelayAccess, RoomCredentials};
pub(crate) use service::Relay;
pub(crate) use stream::{serve as serve_stream, write};
pub(crate) use upkeep::{Interfaces, keep_up};

/// What relays run by.
pub(crate) struct Config {
    /// For clients over DTLS.
    pub(crate) certificate: Arc<CurrentCertificate>,
    /// The HMAC secrets of REST credentials: any is good.
    pub(crate) secrets: Vec<Vec<u8>>,
    /// Credentials of rooms, where there are rooms.
    pub(crate) rooms: Option<RoomCredentials>,
    /// Whether they are good for TCP allocations.
    pub(crate) member_tcp: bool,
    /// Users and their passwords.
    pub(crate) users: Vec<(String, String)>,
    /// Told to clients, part of every credential.
    pub(crate) realm: String,
    /// Ports of relayed addresses.
    pub(crate) ports: RangeInclusive<u16>,
    /// The addresses for NAT behaviour discovery.
    pub(crate) discovery: Option<turn::Discovery>,
    /// Bounds on allocations and bandwidth.
    pub(crate) limits: Limits,
    /// Ranges that may be relayed to although the default list denies them.
    pub(crate) allow: Vec<turn::Cidr>,
    /// Addresses told to clients in place of this machine's own, at most one of each family.
    pub(crate) announce: Vec<Announce>,
}

/// The configuration of each shard's server, where these addresses are listened on.
///
/// # Errors
/// The system gives no randomness.
pub(crate) fn servers(
    config: &Config,
    family: &[Sibling],
    listen: &[SocketAddr],
) -> io::Result<Vec<turn::Config>> {
    let seed = random()?;
    let user = |(name, password): &(String, String)| turn::User::new(name, &config.realm, password);
    let users: Vec<_> = config.users.iter().map(user).collect();
    let services = services(listen, &config.announce);
    let Interfaces { addresses, links } = Interfaces::read();
    let of = |sibling: &Sibling| turn::Config {
        announce: config.announce.iter().map(|announce| announce.ip).collect(),
        interfaces: addresses.clone(),
        links: links.clone(),
        allow: config.allow.clone(),
        ports: sibling.ports(),
        media: services.clone(),
        shard: sibling.index(),
        sibling: sibling.clone(),
        realm: config.realm.clone(),
        secrets: config.secrets.clone(),
        users: users.clone(),
        rooms: config.rooms.as_ref().map(RoomCredentials::rooms),
        member_tcp: config.member_tcp,
        discovery: config.discovery,
        tcp: true,
        services: services.clone(),
        limits: limits(&config.limits),
        ..turn::Config::new(&[][..], seed)
    };
    Ok(family.iter().map(of).collect())
}

/// Our ports as clients and peers name them: those listened on, and those a NAT maps to them.
fn services(listen: &[SocketAddr], announce: &[Announce]) -> Vec<u16> {
    let ports = listen.iter().map(SocketAddr::port);
    let mut services: Vec<_> =
        ports.flat_map(|port| announce.iter().map(move |at| at.port(port)).chain([port])).collect();
    services.sort_unstable();
    services.dedup();
    services
}

/// Each shard has the limits of all: they count together.
fn limits(limits: &Limits) -> turn::Limits {
    // Kilobits as operators count them are 125 bytes.
    let bytes = |kilobits: u64| kilobits.saturating_mul(125);
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

/// A shard's clients over DTLS.
///
/// # Errors
/// The system gives no randomness, or the crypto library does not do what it should.
pub(crate) fn sessions(config: &Config) -> io::Result<Sessions> {
    let certificate = Arc::clone(&config.certificate);
    Sessions::new(certificate, random()?, Instant::now()).map_err(io::Error::other)
}

fn random() -> io::Result<[u8; 32]> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
pub(crate) mod tests;
