//! Pairs of participants, of which one never reads, so that messages of the other one queue up.

use std::time::Duration;

use serde_json::json;
use tokio::{task::JoinSet, time::interval};

use super::Counts;
use crate::target::Target;

const PAIRS: usize = 150;
/// Size of a description, close to the maximum (bytes).
const DESCRIPTION_LEN: usize = 60_000;
const SEND_INTERVAL: Duration = Duration::from_millis(250);

pub(super) async fn run(target: Target, counts: Counts) {
    let mut pairs = JoinSet::new();
    for pair in 0..PAIRS {
        let (target, counts) = (target.clone(), counts.clone());
        pairs.spawn(async move {
            if let Err(error) = send_to_slow_reader(&target, &counts, pair).await {
                counts.add(&format!("failed: {error}"), 1);
            }
        });
    }
    pairs.join_all().await;
}

async fn send_to_slow_reader(target: &Target, counts: &Counts, pair: usize) -> anyhow::Result<()> {
    // Four pairs share a room, so that the limit of rooms is not reached.
    let room = format!("slow {}", pair / 4);
    let reader = target.join(&room, "Reader").await?;
    let mut sender = target.join(&room, "Sender").await?;
    let description = json!({"type": "offer", "sdp": "x".repeat(DESCRIPTION_LEN)});
    let signal = json!({"to": reader.id, "description": description});
    let mut ticks = interval(SEND_INTERVAL);
    loop {
        ticks.tick().await;
        sender.socket.call("signal", &signal).await?;
        counts.add("sent", 1);
    }
}
