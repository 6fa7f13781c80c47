//! What shards' relays are told of the rest of the server: that participants have left their rooms,
//! and which interfaces this machine has.

use std::{future::pending, net::IpAddr, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval, sleep};
use turn::Cidr;

use super::{Command, RoomCredentials};
use crate::shard::Handle;

/// How often interfaces are looked at: as a laptop moves between networks.
const INTERFACES: Duration = Duration::from_secs(30);
/// Those who leave within this time are one piece of work.
const GATHER: Duration = Duration::from_millis(100);

/// This machine's addresses, and the prefixes of its links.
#[derive(Debug, Clone, Default)]
pub(crate) struct Interfaces {
    pub(super) addresses: Vec<IpAddr>,
    pub(super) links: Vec<Cidr>,
}

impl Interfaces {
    /// As they are now.
    pub(super) fn read() -> Self {
        let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
        let link = |interface: &if_addrs::Interface| {
            let bits = match &interface.addr {
                if_addrs::IfAddr::V4(v4) => v4.prefixlen,
                if_addrs::IfAddr::V6(v6) => v6.prefixlen,
            };
            Cidr::new(interface.ip(), bits.into()).ok()
        };
        Self {
            addresses: interfaces.iter().map(if_addrs::Interface::ip).collect(),
            links: interfaces.iter().filter_map(link).collect(),
        }
    }
}

/// Tells all shards, for as long as the server runs.
pub(crate) async fn keep_up(shards: Handle, credentials: Option<RoomCredentials>) {
    let mut tick = interval(INTERFACES);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = left(credentials.as_ref()) => {
                shards.tell_relays(|| Command::MembersLeft).await;
                sleep(GATHER).await;
            }
            _ = tick.tick() => {
                // Also where nothing has changed: a shard may have begun since.
                let interfaces = Arc::new(Interfaces::read());
                shards.tell_relays(|| Command::Interfaces(Arc::clone(&interfaces))).await;
            }
        }
    }
}

async fn left(credentials: Option<&RoomCredentials>) {
    match credentials {
        Some(credentials) => credentials.left().await,
        None => pending().await,
    }
}
