//! Malformed and useless WebSocket messages, and sockets that reconnect after each.

use std::time::Duration;

use tokio::{task::JoinSet, time::timeout};

use super::Counts;
use crate::target::Target;

/// Messages, each of which is repeated on a socket until the server closes it.
fn messages() -> Vec<String> {
    let deeply_nested = format!("42[\"chat\",{}{}]", "[".repeat(4000), "]".repeat(4000));
    vec![
        "2".into(),
        "42[\"no such event\",1]".into(),
        "420[\"room:join\",{\"room\":\"x\",\"room\":\"y\",\"name\":\"z\"}]".into(),
        "42[\"chat\",{\"text\":1e999}]".into(),
        "51000000000-[\"chat\"]".into(),
        "42[\"chat\",{\"text\":\"\\ud800\"}]".into(),
        "40/another,".into(),
        deeply_nested,
        "x".repeat(100_000),
    ]
}

pub(super) async fn run(target: Target, counts: Counts) {
    let mut sockets = JoinSet::new();
    for message in messages() {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            loop {
                if let Err(error) = repeat(&target, &counts, &message).await {
                    counts.add(&format!("ended: {error}"), 1);
                }
            }
        });
    }
    sockets.join_all().await;
}

async fn repeat(target: &Target, counts: &Counts, message: &str) -> anyhow::Result<()> {
    let mut socket = target.connect().await?;
    counts.add("connected", 1);
    loop {
        for _ in 0..50 {
            socket.send(message).await?;
            counts.add("sent", 1);
        }
        // Reads replies, so that the server does not close the socket because of them.
        let message = timeout(Duration::from_millis(5), socket.receive()).await;
        if let Ok(message) = message {
            message?;
        }
    }
}
