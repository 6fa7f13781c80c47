//! Pairs of which one never reads, so that what the other sends piles up (security T04).

use std::time::Duration;

use serde_json::json;
use tokio::{task::JoinSet, time::interval};

use super::Counts;
use crate::target::Target;

const PAIRS: usize = 150;
/// As much as a description may hold.
const BYTES: usize = 60_000;
const PACE: Duration = Duration::from_millis(250);

pub(super) async fn run(target: Target, counts: Counts) {
    let mut pairs = JoinSet::new();
    for pair in 0..PAIRS {
        let (target, counts) = (target.clone(), counts.clone());
        pairs.spawn(async move {
            if let Err(error) = talk(&target, &counts, pair).await {
                counts.add(&format!("failed: {error}"), 1);
            }
        });
    }
    pairs.join_all().await;
}

async fn talk(target: &Target, counts: &Counts, pair: usize) -> anyhow::Result<()> {
    // Four pairs share a room, so that rooms are not what runs out.
    let room = format!("slow {}", pair / 4);
    let deaf = target.join(&room, "Deaf").await?;
    let mut loud = target.join(&room, "Loud").await?;
    let description = json!({"type": "offer", "sdp": "x".repeat(BYTES)});
    let signal = json!({"to": deaf.id, "description": description});
    let mut ticks = interval(PACE);
    loop {
        ticks.tick().await;
        loud.socket.ask("signal", &signal).await?;
        counts.add("sent", 1);
    }
}
