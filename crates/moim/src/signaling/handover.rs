//! Handover of all rooms to the next process of this server (a warm restart).

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use room::protocol::{ServerEvent, ServerRestarting};
use serde::{Deserialize, Serialize};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Signaling, frozen_room::FrozenRoom, room_list_feed::ListedRoom, room_message::RoomMessage,
};
use crate::socketio::encode_event;

/// Time for all rooms to stop. One that takes longer is lost.
const FREEZE_TIMEOUT: Duration = Duration::from_secs(1);
/// Time for queued packets to leave.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(300);
/// Interval of looks at the queues.
const FLUSH_INTERVAL: Duration = Duration::from_millis(5);
/// Time for written packets to reach clients before their connections are reset.
const TRAVEL_TIME: Duration = Duration::from_millis(50);

/// All that signaling leaves to the next process.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Frozen {
    /// The open rooms.
    pub(crate) rooms: Vec<FrozenRoom>,
    /// Rooms in the lists of dialects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) listed: Vec<ListedRoom>,
}

impl Frozen {
    /// Ids of the rooms, each of which identifies one among all that ever had its name.
    pub(crate) fn room_ids(&self) -> BTreeSet<String> {
        self.rooms.iter().filter_map(|room| room.id().map(str::to_owned)).collect()
    }

    /// Leaves out logs of at least this size as JSON, the largest first, or all. Returns their
    /// number.
    pub(crate) fn shed_logs(&mut self, bytes: u64) -> usize {
        let mut sizes: Vec<_> = self.rooms.iter().map(FrozenRoom::log_bytes).enumerate().collect();
        sizes.sort_unstable_by_key(|(_, size)| std::cmp::Reverse(*size));
        let (mut shed, mut left) = (0, bytes);
        for (index, size) in sizes {
            if left == 0 || size == 0 {
                break;
            }
            if let Some(room) = self.rooms.get_mut(index) {
                room.shed_log();
                shed += 1;
            }
            left = left.saturating_sub(size);
        }
        shed
    }
}

impl Signaling {
    /// Stops all rooms for good, and tells their clients to reconnect. Rooms of dialects end, since
    /// their clients can't resume; but those in lists stay listed, where clients enter them again.
    pub(crate) async fn freeze(&self) -> Frozen {
        let sockets = self.hub.sockets.all();
        let deadline = Instant::now() + FREEZE_TIMEOUT;
        let mut answers = Vec::new();
        for room in self.hub.directory.native() {
            let (sender, answer) = oneshot::channel();
            let freeze = room.send(Box::new(RoomMessage::Freeze(sender)));
            if let Ok(Ok(())) = timeout_at(deadline, freeze).await {
                answers.push(answer);
            }
        }
        let mut frozen = Vec::with_capacity(answers.len());
        for answer in answers {
            if let Ok(Ok(room)) = timeout_at(deadline, answer).await {
                frozen.push(room);
            }
        }
        self.hub.kept.queue_now();
        let event = ServerEvent::ServerRestarting(ServerRestarting {});
        let packet = encode_event(event.name(), &event, None);
        for socket in &sockets {
            socket.emit(Arc::clone(&packet));
        }
        let deadline = Instant::now() + FLUSH_TIMEOUT;
        while sockets.iter().any(|socket| socket.queued() > 0) && Instant::now() < deadline {
            sleep(FLUSH_INTERVAL).await;
        }
        if !sockets.is_empty() {
            sleep(TRAVEL_TIME).await;
        }
        Frozen { rooms: frozen, listed: self.hub.room_lists.listed() }
    }

    /// Opens rooms that an earlier process has frozen. Call this before the first client connects.
    pub(crate) fn restore(&self, frozen: Frozen) {
        self.hub.room_lists.restore(&frozen.listed);
        for frozen in frozen.rooms {
            if !self.hub.reopen(frozen, None, 0) {
                tracing::warn!("a room was not restored: its address is in use");
            }
        }
    }
}
