//! The relay: STUN and TURN on the one port.
//!
//! Each shard has a [`Relay`] of its own with a [`turn::Server`] and its relayed sockets. TURN
//! clients over TCP and TLS live on the main runtime and exchange whole messages with a shard over
//! bounded queues.

mod client;
mod command;
mod stream;
mod tenant;

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use turn::siblings::Sibling;

pub(crate) use client::{Client, Unsent, queue};
pub(crate) use command::Command;
pub(crate) use stream::{serve as serve_stream, write};
pub(crate) use tenant::Relay;

/// What relays run by.
pub(crate) struct Config {
    /// The HMAC secret of REST credentials.
    pub(crate) secret: Vec<u8>,
    /// Ranges that may be relayed to although the default list denies them.
    pub(crate) allow: Vec<turn::Cidr>,
    /// Addresses told to clients in place of this machine's own, at most one of each family.
    pub(crate) announce: Vec<IpAddr>,
}

/// The configuration of each shard's server.
///
/// # Errors
/// The system gives no randomness.
pub(crate) fn servers(
    config: &Config,
    family: &[Sibling],
    listen: &[SocketAddr],
) -> io::Result<Vec<turn::Config>> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)?;
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let of = |sibling: &Sibling| turn::Config {
        announce: config.announce.clone(),
        interfaces: interfaces.iter().map(if_addrs::Interface::ip).collect(),
        allow: config.allow.clone(),
        ports: sibling.ports(),
        media: listen.iter().map(SocketAddr::port).collect(),
        shard: sibling.index(),
        sibling: sibling.clone(),
        ..turn::Config::new(config.secret.clone(), seed)
    };
    Ok(family.iter().map(of).collect())
}

#[cfg(test)]
pub(crate) mod tests;
