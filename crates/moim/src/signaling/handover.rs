//! Handover of all rooms to the next process of this server (a warm restart).

use std::{sync::Arc, time::Duration};

use room::{
    Address, Room,
    protocol::{ServerEvent, ServerRestarting},
};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout_at},
};

use super::{
    Signaling,
    directory::RoomKey,
    frozen_room::FrozenRoom,
    hub::{Hub, NewTask, native_name},
    room_message::{RoomMessage, RoomReceiver},
    rooms::seed,
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

impl Signaling {
    /// Stops all rooms for good, and tells their clients to reconnect. Rooms of dialects are lost:
    /// their clients can't resume.
    pub(crate) async fn freeze(&self) -> Vec<FrozenRoom> {
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
        frozen
    }

    /// Opens rooms that an earlier process has frozen. Call this before the first client connects.
    pub(crate) fn restore(&self, rooms: Vec<FrozenRoom>) {
        for frozen in rooms {
            self.hub.restore(frozen);
        }
    }
}

impl Hub {
    fn restore(self: &Arc<Self>, frozen: FrozenRoom) {
        let (opener, room, visits) = frozen.into_parts();
        let address = Address::native(room.name());
        let start = |key: RoomKey, receiver: RoomReceiver| {
            if let Some(name) = native_name(&key.address) {
                self.kept.keep(&name, &room.settings());
            }
            let now = Instant::now().into_std();
            let room = Room::restore(now, room, self.config.room_limits(), seed());
            (self.spawn_room)(Arc::clone(self), NewTask { key, room, visits, receiver });
        };
        if !self.directory.reopen(address, opener, start) {
            tracing::warn!("a room was not restored: its address is in use");
        }
    }
}
