//! As many rooms as one address can get, in a dialect whose clients can be in several rooms.

use tokio::task::JoinSet;

use super::Counts;
use crate::target::Target;

const SOCKETS: usize = 640;
const ROOMS_PER_SOCKET: usize = 16;

pub(super) async fn run(target: Target, counts: Counts) {
    let mut sockets = JoinSet::new();
    for number in 0..SOCKETS {
        let (target, counts) = (target.clone(), counts.clone());
        sockets.spawn(async move {
            if let Err(error) = join_rooms(&target, &counts, number).await {
                counts.add(&format!("failed: {error}"), 1);
            }
        });
    }
    sockets.join_all().await;
}

async fn join_rooms(target: &Target, counts: &Counts, number: usize) -> anyhow::Result<()> {
    let mut socket = target.connect().await?;
    for room in 0..ROOMS_PER_SOCKET {
        counts.add("tried", 1);
        socket.send(&format!("42[\"join\",\"taken {number} {room}\"]")).await?;
    }
    loop {
        if let load::ServerMessage::Event(name, _, _) = socket.receive().await? {
            counts.add(&name, 1);
        }
    }
}
