//! Events of the rest of the server that concern every TURN service: participants have left their
//! rooms, and the interfaces of this machine.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::time::{MissedTickBehavior, interval, sleep};

use super::{
    handle::Handle,
    turn::{command::Command, interfaces::Interfaces, room_credentials::RoomCredentials},
};

/// Interval at which interfaces are read, as a laptop may change its network.
const INTERFACES_INTERVAL: Duration = Duration::from_secs(30);
/// Participants who leave within this time cause one command.
const LEFT_DELAY: Duration = Duration::from_millis(100);

/// Sends commands to the TURN service of all shards, for as long as the server runs.
pub(crate) async fn keep_turn_informed(shards: Handle, credentials: Option<RoomCredentials>) {
    let mut tick = interval(INTERFACES_INTERVAL);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = member_left(credentials.as_ref()) => {
                shards.send_turn_command(|| Command::MembersLeft).await;
                sleep(LEFT_DELAY).await;
            }
            _ = tick.tick() => {
                // Sent even if nothing has changed: a shard may have started since.
                let interfaces = Arc::new(Interfaces::read());
                shards.send_turn_command(|| Command::Interfaces(Arc::clone(&interfaces))).await;
            }
        }
    }
}

async fn member_left(credentials: Option<&RoomCredentials>) {
    match credentials {
        Some(credentials) => credentials.member_left().await,
        None => pending().await,
    }
}
