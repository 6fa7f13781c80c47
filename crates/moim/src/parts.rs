//! What each part is told of the configuration.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use socketio::Rate;

use crate::{
    addresses,
    config::Config,
    relay, shard, signaling,
    socket::{self, Mount},
};

/// For the Socket.IO driver.
pub(crate) fn socket(config: &Config) -> socket::Config {
    let mut socket = socket::Config::default();
    socket.origins.allowed = config.origins.iter().cloned().map(String::from).collect();
    let paths = room::dialect::DIALECTS.iter().filter_map(|dialect| dialect.path());
    socket.mounts.extend(paths.map(|path| Mount { path, polling: false }));
    socket.limits.sessions = config.limits.connections;
    socket.limits.sessions_per_address = config.limits.connections_per_address;
    socket.session.max_payload = config.limits.message_bytes;
    let per_second = config.limits.messages_per_second;
    socket.session.rate = Rate { per_second, burst: per_second.saturating_mul(4) };
    socket.session.ping_interval = config.limits.ping_interval;
    socket.session.ping_timeout = config.limits.ping_timeout;
    socket
}

/// For rooms.
pub(crate) fn signaling(config: &Config, shards: &shard::Handle) -> signaling::Config {
    let defaults = signaling::Config::new(config.turn.secret.as_bytes().into());
    let first = addresses::of_interfaces().into_iter().next();
    signaling::Config {
        announce: config.announce.clone(),
        fallback: first.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        capacity: config.limits.room_capacity,
        max_capacity: defaults.max_capacity.max(config.limits.room_capacity),
        max_rooms: config.limits.rooms,
        media: Some(signaling::MediaServer::new(shards.orders())),
        topology: config.topology,
        ..defaults
    }
}

/// For shards, on the addresses that are listened on over TCP.
pub(crate) fn shards(config: &Config, listen: Vec<SocketAddr>) -> shard::Config {
    let relay = relay::Config {
        secret: config.turn.secret.as_bytes().to_vec(),
        allow: config.turn.allow.clone(),
        announce: config.announce.clone(),
    };
    shard::Config { listen, shards: config.shards.unwrap_or_else(shard::fitting), relay }
}
