//! Guesses of the password of the well-behaved clients' room.

use serde_json::json;
use tokio::task::JoinSet;

use super::Counts;
use crate::{target::Target, witness::LOCKED_ROOM};

const SOCKETS: usize = 10;

pub(super) async fn run(target: Target, counts: Counts) {
    let mut sockets = JoinSet::new();
    for number in 0..SOCKETS {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            if let Err(error) = guess(&target, &counts, number).await {
                counts.add(&format!("failed: {error}"), 1);
            }
        });
    }
    sockets.join_all().await;
}

async fn guess(target: &Target, counts: &Counts, number: usize) -> anyhow::Result<()> {
    let mut socket = target.connect().await?;
    for guess in 0.. {
        counts.add("tried", 1);
        let password = format!("{number}-{guess}");
        let join = json!({"room": LOCKED_ROOM, "name": "Guesser", "password": password});
        let reply = socket.call("room:join", &join).await;
        counts.outcome(&reply);
        if reply.is_ok() {
            break;
        }
    }
    Ok(())
}
