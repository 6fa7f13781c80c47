//! Rooms of dialects in a cluster. One node has them all: their clients list rooms, name each other by
//! socket and can't resume, so a room is nothing without its node.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use cluster::{OwnedRoom, Payload, RoomEvent, Unanswered};
use parking_lot::Mutex;
use tokio::time::sleep_until;

use crate::{
    cluster::{Cluster, Held, Place, RoomKey, Unplaced},
    socketio::Socket,
};

/// A name that no room has.
const NAME: &str = "\0dialects";

/// Dialects of a cluster, which one node has.
pub(super) struct Dialects {
    cluster: Arc<Cluster>,
    key: RoomKey,
    /// This node has them.
    is_here: AtomicBool,
    /// Sockets with a session here.
    sockets: Mutex<HashMap<Arc<str>, Socket>>,
}

/// A socket has its session here as long as this lives.
pub(super) struct Guest {
    id: Arc<str>,
    dialects: Arc<Dialects>,
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.dialects.sockets.lock().remove(&self.id);
    }
}

impl Dialects {
    pub(super) fn new(cluster: Arc<Cluster>) -> Arc<Self> {
        let key = cluster.key_of(NAME);
        Arc::new(Self { cluster, key, is_here: AtomicBool::new(false), sockets: Mutex::default() })
    }

    pub(super) fn key(&self) -> RoomKey {
        self.key
    }

    /// Finds the node that has dialects; this one, if none has.
    pub(super) async fn place(self: &Arc<Self>) -> Result<Place, Unplaced> {
        let place = self.cluster.place(self.key).await?;
        if let Some((claim, held)) = self.cluster.take_claim(self.key) {
            self.is_here.store(true, Ordering::Release);
            let dialects = Arc::clone(self);
            tokio::spawn(async move { dialects.hold(claim.room, held).await });
        }
        Ok(place)
    }

    /// Takes a socket in; `None` if another node has dialects.
    pub(super) fn admit(self: &Arc<Self>, socket: &Socket) -> Option<Guest> {
        let mut sockets = self.sockets.lock();
        if !self.is_here.load(Ordering::Acquire) {
            return None;
        }
        sockets.insert(Arc::clone(&socket.id.0), socket.clone());
        Some(Guest { id: Arc::clone(&socket.id.0), dialects: Arc::clone(self) })
    }

    /// Keeps the claim until another node has it.
    async fn hold(&self, mut room: OwnedRoom<u64>, _held: Held) {
        let mut doubts = self.cluster.doubts();
        loop {
            let now = Instant::now();
            while let Some(event) = room.poll_event() {
                match event {
                    // There is nothing to restore.
                    RoomEvent::SnapshotDue => {
                        let _ = room.append_snapshot(now, Payload::from([]));
                    }
                    RoomEvent::Fenced(_) => return self.cut(),
                    _ => {}
                }
            }
            if let Some((id, request)) = room.poll_request(now) {
                let answer = self.cluster.engine().request(request).await;
                room.handle_answer(Instant::now(), id, answer.map_err(Unanswered::from));
                continue;
            }
            let due = room.poll_timeout().unwrap_or(now + cluster::TOUCH);
            tokio::select! {
                () = sleep_until(due.into()) => {}
                Ok(()) = doubts.changed() => room.check(Instant::now()),
            }
            room.handle_timeout(Instant::now());
        }
    }

    /// Another node has dialects now: their clients connect anew.
    fn cut(&self) {
        let sockets = {
            let mut sockets = self.sockets.lock();
            self.is_here.store(false, Ordering::Release);
            std::mem::take(&mut *sockets)
        };
        sockets.values().for_each(Socket::cut);
    }
}
