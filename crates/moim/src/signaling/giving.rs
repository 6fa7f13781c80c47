//! Rooms of a server that drains, which other nodes of its cluster take over.

use std::sync::Arc;

use cluster::NodeId;
use tokio::{sync::oneshot, task::JoinSet};

use super::{
    Signaling,
    keeping::{Keeping, restored},
    room_message::{RoomMessage, RoomSender},
};
use crate::cluster::RoomKey;

/// Rooms that are given away at once.
const AT_ONCE: usize = 32;

impl Signaling {
    /// Has other nodes take over the rooms of this one. Returns how many they have taken, and how many
    /// are still here.
    pub(crate) async fn give_rooms(&self) -> (usize, usize) {
        let (mut given, mut kept) = (0, 0);
        let mut count = |is_given| match is_given {
            true => given += 1,
            false => kept += 1,
        };
        let mut giving = JoinSet::new();
        for room in self.hub.directory.native() {
            if giving.len() == AT_ONCE
                && let Some(is_given) = giving.join_next().await
            {
                count(is_given.unwrap_or(false));
            }
            giving.spawn(give(room));
        }
        while let Some(is_given) = giving.join_next().await {
            count(is_given.unwrap_or(false));
        }
        (given, kept)
    }

    /// Has links of this node's rooms leave another one, which drains.
    pub(crate) async fn leave_node(&self, node: NodeId) {
        for room in self.hub.directory.native() {
            // A room that closes has no links.
            let _ = room.send(Box::new(RoomMessage::LeaveNode(node))).await;
        }
    }

    /// Takes over a room that another node gives up. Returns whether it is here.
    pub(crate) async fn take_room(&self, key: RoomKey, giver: NodeId) -> bool {
        let hub = &self.hub;
        let Some(cluster) = hub.config.cluster.as_ref() else { return false };
        if !cluster.claim_from(key, giver).await {
            return false;
        }
        // Somebody has come already.
        let Some((claim, held)) = cluster.take_claim(key) else { return true };
        let (room, first) = (restored(&claim.log), claim.first.to_wire());
        let keeping = Box::new(Keeping::new(Arc::clone(cluster), claim, held));
        // A room that has ended meanwhile begins anew with whoever comes.
        let Some(room) = room else { return false };
        let is_open = hub.reopen(room, Some(keeping), first);
        cluster.note_opened();
        is_open
    }
}

async fn give(room: RoomSender) -> bool {
    let (sender, given) = oneshot::channel();
    // A room that closes needs no owner.
    room.send(Box::new(RoomMessage::Give(sender))).await.is_ok() && given.await.unwrap_or(false)
}
