//! As many rooms as one address can have, in a dialect whose clients may be in several (security T03).

use tokio::task::JoinSet;

use super::Counts;
use crate::target::Target;

const SOCKETS: usize = 640;
const EACH: usize = 16;

pub(super) async fn run(target: Target, counts: Counts) {
    let mut sockets = JoinSet::new();
    for number in 0..SOCKETS {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            if let Err(error) = make(&target, &counts, number).await {
                counts.add(&format!("failed: {error}"), 1);
            }
        });
    }
    sockets.join_all().await;
}

async fn make(target: &Target, counts: &Counts, number: usize) -> anyhow::Result<()> {
    let mut socket = target.connect().await?;
    for room in 0..EACH {
        counts.add("tried", 1);
        socket.send(&format!("42[\"join\",\"taken {number} {room}\"]")).await?;
    }
    loop {
        if let load::Said::Event(name, _) = socket.hear().await? {
            counts.add(&name, 1);
        }
    }
}
