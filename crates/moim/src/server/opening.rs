//! The store and the port (TCP and UDP) that a server opens when it starts.

use std::{io, sync::Arc};

use anyhow::Context;

use crate::{
    config::{Config, StoreChoice},
    net::{
        inherited::InheritedSockets,
        reach::ReachLog,
        reachability::Reachability,
        tcp::{self, BoundListeners},
        tls::CurrentCertificate,
    },
    shard::{
        self,
        turn::{RelayState, RoomCredentials},
    },
    store::{Retention, Store, rooms},
    supervisor::Supervisor,
    wiring,
};

/// Attempts to find a port that is free on TCP and UDP, where the system chooses it.
const MAX_PORT_ATTEMPTS: u32 = 8;

/// Opens the store, and reads its rooms. A relay alone has nothing to keep.
pub(super) fn open_store(config: &Config) -> anyhow::Result<(Store, Vec<rooms::RoomRows>)> {
    let retention = Retention { samples_days: config.history_days };
    let store = match &config.store {
        _ if config.turn.only => Store::none(),
        StoreChoice::None => Store::none(),
        StoreChoice::Sqlite => Store::open(&config.data, retention)?,
        StoreChoice::Postgres(server) => Store::connect(server, retention)?,
    };
    // Without them, locked rooms would be open to whoever comes first.
    let kept = store.load(rooms::all).context("The rooms in the store can't be read")?;
    Ok((store, kept.unwrap_or_default()))
}

/// Binds the same port on TCP and UDP.
pub(super) fn bind_port(
    config: &Config,
    rooms: Option<&RoomCredentials>,
    relay: &RelayState,
    reachability: &Reachability,
    certificate: &Arc<CurrentCertificate>,
    reach: &ReachLog,
) -> anyhow::Result<(BoundListeners, shard::Started)> {
    let mut attempts = 0..MAX_PORT_ATTEMPTS;
    let mut inherited = InheritedSockets::take();
    Supervisor::find().take_back();
    let listen = &config.listen;
    inherited.close_all_but(&[&*listen.required, &*listen.where_possible].concat());
    loop {
        let bound = tcp::bind(&config.listen, &mut inherited)?;
        let addresses = bound.addresses.clone();
        let shards = wiring::shards(
            config,
            rooms,
            relay,
            addresses,
            reachability,
            certificate,
            reach.clone(),
        );
        let nodes = wiring::nodes(config, reachability)?;
        match shard::start(&shard::Config { nodes, ..shards }, &mut inherited) {
            Ok(shards) => {
                inherited.warn_of_rest();
                return Ok((bound, shards));
            }
            // The port that the system chose for TCP may be in use on UDP.
            Err(error)
                if config.listen.is_left_to_system()
                    && error.error.kind() == io::ErrorKind::AddrInUse
                    && attempts.next().is_some() => {}
            Err(error) => return Err(tcp::describe_bind_error(error.address, &error.error)),
        }
    }
}
