//! Rooms made so that the server sends their whole list to everybody in the lobby (security T18).

use std::time::Duration;

use tokio::{task::JoinSet, time::interval};

use super::Counts;
use crate::target::Target;

const LISTENERS: usize = 60;
/// Events a second.
const PACE: Duration = Duration::from_millis(50);

pub(super) async fn run(target: Target, counts: Counts) {
    let mut sockets = JoinSet::new();
    for number in 0..LISTENERS {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            let Ok(mut socket) = target.connect().await else { return };
            // Half of them have said nothing, so the server can't know what they speak.
            if number % 2 == 0 && socket.send("42[\"get room list\"]").await.is_err() {
                return;
            }
            while let Ok(said) = socket.hear().await {
                if let load::Said::Event(_, rooms) = said {
                    counts.add("lists", 1);
                    let bytes = rooms.to_string().len();
                    counts.add("bytes out", u64::try_from(bytes).unwrap_or(u64::MAX));
                }
            }
        });
    }
    sockets.spawn(async move {
        let Ok(mut socket) = target.connect().await else { return };
        let mut ticks = interval(PACE);
        for number in 0.. {
            ticks.tick().await;
            let name = "n".repeat(100);
            let made = format!(
                "42[\"make room\",{{\"roomName\":\"{name}\",\"roomID\":\"lobby {number}\"}}]"
            );
            counts.add("bytes in", u64::try_from(made.len()).unwrap_or(u64::MAX));
            if socket.send(&made).await.is_err() {
                return;
            }
        }
    });
    sockets.join_all().await;
}
