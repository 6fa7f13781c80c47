//! A room of a server that drains, which another node of the cluster takes over.

use std::time::Duration;

use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use super::{RoomTask, clustered};
use crate::signaling::{pending_reply::PendingReply, room_message::RoomReceiver};

/// Time for the log to have everything.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(2);
/// Time for packets that are queued to leave, before sockets are cut.
const SOCKETS_TIMEOUT: Duration = Duration::from_millis(300);
/// Interval of looks at the queues.
const SOCKETS_INTERVAL: Duration = Duration::from_millis(5);

impl RoomTask {
    /// Has another node claim the room. Meanwhile nothing is handled, so the log has all that anybody
    /// was told, and all who are told something later hear it from the next owner. Returns whether
    /// the room is another node's; if not, it goes on here.
    pub(super) async fn give(&mut self, given: oneshot::Sender<bool>) -> bool {
        let is_given = self.try_give().await;
        // Whoever asked may have given up.
        let _ = given.send(is_given);
        is_given
    }

    async fn try_give(&mut self) -> bool {
        let cluster = self.keeping.as_ref().and_then(|keeping| keeping.cluster());
        let name = super::native_name(&self.key.address);
        let Some((cluster, name)) = cluster.zip(name).filter(|_| cluster_takes(self)) else {
            return false;
        };
        let begun = Instant::now();
        if !self.flush().await {
            return false;
        }
        match cluster.give(cluster.key_of(name.as_str())).await {
            Ok(node) => {
                tracing::info!(%node, took = ?begun.elapsed(), "a room was given to another node");
                true
            }
            Err(error) => {
                tracing::warn!(%error, "a room stays");
                // It may have been claimed after all.
                if let Some(keeping) = &mut self.keeping {
                    keeping.check();
                }
                false
            }
        }
    }

    /// Appends the whole room to its log. Returns whether the log has it.
    async fn flush(&mut self) -> bool {
        self.add_snapshot();
        let (written, mut writing) = oneshot::channel();
        self.hold_effects(PendingReply::default(), true, Some(written));
        let flushed = timeout(FLUSH_TIMEOUT, async {
            loop {
                self.apply_kept();
                match writing.try_recv() {
                    Ok(()) => return !self.fenced,
                    Err(oneshot::error::TryRecvError::Closed) => return false,
                    Err(oneshot::error::TryRecvError::Empty) if self.fenced => return false,
                    Err(oneshot::error::TryRecvError::Empty) => {}
                }
                clustered::wait(&mut self.keeping).await;
            }
        });
        flushed.await.unwrap_or(false)
    }

    /// Ends: the room's clients reconnect to its new owner.
    pub(super) async fn follow(mut self, mut receiver: RoomReceiver) {
        let sockets = || self.clients.values().map(|client| &client.guard.0.socket);
        let deadline = Instant::now() + SOCKETS_TIMEOUT;
        while sockets().any(|socket| socket.queued() > 0) && Instant::now() < deadline {
            sleep(SOCKETS_INTERVAL).await;
        }
        self.yield_room(&mut receiver);
        while let Some(message) = receiver.recv().await {
            self.handle_late(message).await;
        }
    }
}

/// True for a room that goes on: one that is about to close needs no owner.
fn cluster_takes(task: &RoomTask) -> bool {
    !task.closed && !task.room.has_ended()
}
