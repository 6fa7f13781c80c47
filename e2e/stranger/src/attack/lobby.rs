//! New rooms, of which each makes the server send the whole list to all clients in the lobby.

use std::time::Duration;

use tokio::{task::JoinSet, time::interval};

use super::Counts;
use crate::target::Target;

const LISTENERS: usize = 60;
const CREATE_INTERVAL: Duration = Duration::from_millis(50);

pub(super) async fn run(target: Target, counts: Counts) {
    let mut sockets = JoinSet::new();
    for number in 0..LISTENERS {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            let Ok(mut socket) = target.connect().await else { return };
            // Half of them send nothing, so the server can't know their dialect.
            if number % 2 == 0 && socket.send("42[\"get room list\"]").await.is_err() {
                return;
            }
            while let Ok(message) = socket.receive().await {
                if let load::ServerMessage::Event(_, rooms, _) = message {
                    counts.add("lists", 1);
                    let bytes = rooms.to_string().len();
                    counts.add("bytes out", u64::try_from(bytes).unwrap_or(u64::MAX));
                }
            }
        });
    }
    sockets.spawn(async move {
        let Ok(mut socket) = target.connect().await else { return };
        let mut ticks = interval(CREATE_INTERVAL);
        for number in 0.. {
            ticks.tick().await;
            let name = "n".repeat(100);
            let create = format!(
                "42[\"make room\",{{\"roomName\":\"{name}\",\"roomID\":\"lobby {number}\"}}]"
            );
            counts.add("bytes in", u64::try_from(create.len()).unwrap_or(u64::MAX));
            if socket.send(&create).await.is_err() {
                return;
            }
        }
    });
    sockets.join_all().await;
}
