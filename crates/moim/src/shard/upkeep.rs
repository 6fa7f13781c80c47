//! Events of the rest of the server that concern every shard: participants have left their rooms,
//! or the server's addresses have changed.

use std::{future::pending, sync::Arc, time::Duration};

use tokio::time::sleep;

use super::{
    command::ShardCommand,
    handle::Handle,
    turn::{command::Command, room_credentials::RoomCredentials},
};
use crate::net::reachability::AddressChanges;

/// Participants who leave within this time cause one command.
const LEFT_DELAY: Duration = Duration::from_millis(100);

/// Sends commands to all shards, for as long as the server runs.
pub(crate) async fn keep_informed(
    shards: Handle,
    credentials: Option<RoomCredentials>,
    mut addresses: AddressChanges,
) {
    // They may have changed since the shards were configured.
    addresses.mark_changed();
    loop {
        tokio::select! {
            () = member_left(credentials.as_ref()) => {
                shards.send_to_all(|| Command::MembersLeft).await;
                sleep(LEFT_DELAY).await;
            }
            Ok(()) = addresses.changed() => {
                let current = Arc::clone(&addresses.borrow_and_update());
                shards.send_to_all(|| ShardCommand::Addresses(Arc::clone(&current))).await;
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
