//! Background tasks.

use std::{sync::Arc, time::Duration};

use super::{
    hub::Hub,
    memory::{Share, excess, excess_logs},
    room_message::RoomMessage,
};

/// Interval between samples of held memory.
const MEMORY_INTERVAL: Duration = Duration::from_millis(250);

/// Spawns all background tasks.
pub(super) fn spawn(hub: &Arc<Hub>) {
    let lobby = Arc::clone(hub);
    tokio::spawn(async move { lobby.lobby.run().await });
    let kept = Arc::clone(&hub.kept);
    tokio::spawn(async move { kept.run().await });
    tokio::spawn(limit_memory(Arc::clone(hub)));
    for index in 0..hub.room_lists.len() {
        let hub = Arc::clone(hub);
        tokio::spawn(async move { hub.room_lists.run(index).await });
    }
}

/// Keeps held bytes and logs within the budget.
async fn limit_memory(hub: Arc<Hub>) {
    loop {
        tokio::time::sleep(MEMORY_INTERVAL).await;
        let budget = hub.defaults.load().max_queue_bytes;
        let mut shares = hub.sockets.queues();
        shares.extend(hub.held.holders().into_iter().map(Share::from));
        let held: usize = shares.iter().map(|share| share.bytes).sum();
        for log in excess_logs(hub.directory.logs(), budget.saturating_sub(held)) {
            // If the channel is full, the next round tries again.
            let _ = log.room.try_send(Box::new(RoomMessage::ForgetLog));
        }
        let cut = excess(shares, budget);
        if !cut.is_empty() {
            tracing::debug!(count = cut.len(), "memory budget exceeded: sockets cut");
        }
        cut.iter().for_each(|share| share.owner.cut());
    }
}
