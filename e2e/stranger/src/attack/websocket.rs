//! Malformed and useless messages, and sockets that come and go (security T12).

use tokio::task::JoinSet;

use super::Counts;
use crate::target::Target;

/// Each is sent again and again on a socket until the server ends it.
fn messages() -> Vec<String> {
    let deep = format!("42[\"chat\",{}{}]", "[".repeat(4000), "]".repeat(4000));
    vec![
        "2".into(),
        "42[\"no such event\",1]".into(),
        "420[\"room:join\",{\"room\":\"x\",\"room\":\"y\",\"name\":\"z\"}]".into(),
        "42[\"chat\",{\"text\":1e999}]".into(),
        "51000000000-[\"chat\"]".into(),
        "42[\"chat\",{\"text\":\"\\ud800\"}]".into(),
        "40/another,".into(),
        deep,
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
        // Replies are read, so that it is not for them that the socket ends.
        let heard = tokio::time::timeout(std::time::Duration::from_millis(5), socket.hear()).await;
        if let Ok(heard) = heard {
            heard?;
        }
    }
}
