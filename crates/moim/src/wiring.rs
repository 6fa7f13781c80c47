//! The configuration of each component, derived from the server's.

use std::{net::SocketAddr, sync::Arc};

use ::socketio::Rate;

use crate::{
    access::Access,
    cluster::{MediaTls, media_tls},
    config::{Config, HostName, Origin},
    http::HostNames,
    net::{
        auto_announce, drain::Drain, reach::ReachLog, reachability::Reachability,
        reachable::ReachableAddresses, tls::CurrentCertificate,
    },
    shard::{self, turn::RoomCredentials},
    signaling,
    socketio::{self, Mount},
    store::Store,
};

/// The most that a client may request as the capacity of a room, unless rooms get more by default.
const MAX_ROOM_CAPACITY: u32 = 100;

/// Configures the Socket.IO driver.
pub(crate) fn socketio(config: &Config) -> socketio::Config {
    let mut socket = socketio::Config::default();
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

/// Configures signaling, for rooms of a server with these addresses.
pub(crate) fn signaling(
    config: &Config,
    credentials: RoomCredentials,
    shards: &shard::Handle,
    reachable: Reachability,
    store: &Store,
    drain: &Drain,
    access: &Arc<Access>,
) -> signaling::Config {
    let defaults = signaling::Config::new(credentials);
    signaling::Config {
        reachable,
        capacity: config.limits.room_capacity,
        max_capacity: MAX_ROOM_CAPACITY.max(config.limits.room_capacity),
        max_file_bytes: config.limits.file_bytes,
        data: Some(config.data.clone()),
        access: Arc::clone(access),
        store: store.clone(),
        drain: drain.clone(),
        records_calls: config.history_days > 0,
        max_rooms: config.limits.rooms,
        max_queue_bytes: config.limits.queue_memory << 20,
        max_rooms_per_address: config.limits.rooms_per_address,
        media: Some(signaling::MediaServer::new(shards.room_commands())),
        topology: config.topology,
        hosts: defaults.hosts.filter(|_| config.hosted_rooms),
        ..defaults
    }
}

/// Configures shards, on the addresses that are bound for TCP.
pub(crate) fn shards(
    config: &Config,
    credentials: Option<&RoomCredentials>,
    relay: &shard::turn::RelayState,
    listen: Vec<SocketAddr>,
    reachability: &Reachability,
    certificate: &Arc<CurrentCertificate>,
    reach: ReachLog,
) -> shard::Config {
    let turn = shard::turn::Config {
        certificate: Arc::clone(certificate),
        secrets: secrets(config),
        rooms: credentials.cloned(),
        state: relay.clone(),
        member_tcp: config.turn.member_tcp,
        users: config.turn.users.iter().map(|(n, p)| (n.to_owned(), p.to_owned())).collect(),
        realm: config.turn.realm.clone(),
        ports: config.turn.ports.clone(),
        discovery: discovery(config, &listen),
        limits: config.limits,
        allow: config.turn.allow.clone(),
    };
    reachability.listen_on(&listen);
    let reachable = ReachableAddresses::clone(&reachability.current());
    let shards = config.shards.unwrap_or_else(shard::default_shards);
    shard::Config { listen, shards, turn, reachable, reach, nodes: None }
}

/// Configures links of shards to those of other nodes, at the address that nodes reach.
///
/// # Errors
/// The cluster's key can't be used.
pub(crate) fn nodes(
    config: &Config,
    reachability: &Reachability,
) -> anyhow::Result<Option<shard::NodeConfig>> {
    let cluster = config.cluster.as_ref().filter(|_| !config.turn.only);
    let Some(cluster) = cluster else { return Ok(None) };
    let first = || reachability.current().at_interfaces().first().copied();
    let Some(address) = cluster.address.or_else(first) else { return Ok(None) };
    let MediaTls { client, server, name } = media_tls(&cluster.key)?;
    let (ip, unreached) = (address.ip(), shard::Unreached::default());
    Ok(Some(shard::NodeConfig { client, server, name, ip, unreached }))
}

/// The settings of the relay that a reload replaces, for the `realm` that the relay has.
pub(crate) fn turn_settings(config: &Config, realm: &str) -> shard::turn::Settings {
    shard::turn::Settings {
        secrets: secrets(config),
        users: config.turn.users.iter().map(|(n, p)| turn::User::new(n, realm, p)).collect(),
        allow: config.turn.allow.clone(),
        member_tcp: config.turn.member_tcp,
        limits: config.limits,
    }
}

fn secrets(config: &Config) -> Vec<Vec<u8>> {
    config.turn.secrets.iter().map(|secret| secret.as_bytes().to_vec()).collect()
}

/// Defaults and limits of rooms.
pub(crate) fn room_defaults(config: &Config) -> signaling::RoomDefaults {
    signaling::RoomDefaults {
        capacity: config.limits.room_capacity,
        max_capacity: MAX_ROOM_CAPACITY.max(config.limits.room_capacity),
        max_file_bytes: config.limits.file_bytes,
        topology: config.topology,
        max_queue_bytes: config.limits.queue_memory << 20,
        max_rooms: config.limits.rooms,
        max_rooms_per_address: config.limits.rooms_per_address,
    }
}

/// Host names that the configuration gives.
pub(crate) fn host_names(config: &Config) -> HostNames {
    let domains = config.acme.iter().flat_map(|acme| &acme.domains).map(HostName::from);
    let given = config.hosts.iter().cloned().chain(domains).collect();
    HostNames::new(given, config.origins.iter().filter_map(Origin::host))
}

/// What addresses are to be announced, and the names that may lead to them.
pub(crate) fn announcing(config: &Config) -> auto_announce::AnnounceConfig {
    let domains = config.acme.iter().flat_map(|acme| &acme.domains).map(HostName::from);
    let names = domains.chain(config.hosts.iter().cloned());
    auto_announce::AnnounceConfig {
        auto: config.auto_announce,
        announce_only: config.announce_only,
        names: names.map(|name| name.as_str().to_owned()).collect(),
    }
}

/// Pairs the second address (RFC 5780) with the first bound one of its family.
fn discovery(config: &Config, listen: &[SocketAddr]) -> Option<turn::Discovery> {
    let alternate = config.turn.alternate?;
    let same = |address: &&SocketAddr| {
        address.is_ipv4() == alternate.is_ipv4() && !address.ip().is_unspecified()
    };
    turn::Discovery::new(*listen.iter().find(same)?, alternate)
}
