//! Rooms that an earlier process of this server has told webhooks of, in a cluster: another server may
//! have taken them over, and tells the rest.

use std::{sync::Arc, time::Duration};

use cluster::{Answer, Request};
use tokio::time::sleep;

use super::keeping::restored;
use crate::{
    cluster::Cluster,
    webhooks::{LostRoom, Webhooks},
};

/// A pause before it is looked again who has them. An orphaned log ends within two minutes.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The owner of a lost room.
enum Whereabouts {
    /// This server again, or another one.
    Owned,
    /// There is none any more.
    Ended,
    /// Its owner is gone, and its people may come back yet; or the engine does not answer.
    Open,
}

/// Ends lost rooms that nobody takes over, and forgets those of other servers. Returns once all are
/// settled.
pub(crate) async fn settle(cluster: Arc<Cluster>, webhooks: Webhooks, mut lost: Vec<LostRoom>) {
    while !lost.is_empty() {
        // By then the other servers are known.
        sleep(LOOK_AGAIN).await;
        let mut open = Vec::new();
        for room in lost {
            if webhooks.is_open(&room) {
                continue;
            }
            match find(&cluster, &room).await {
                Whereabouts::Owned => {
                    tracing::info!("events of a room of the last run are sent by another server");
                    webhooks.move_away(&room);
                }
                Whereabouts::Ended => webhooks.close(&room),
                Whereabouts::Open => open.push(room),
            }
        }
        lost = open;
    }
}

async fn find(cluster: &Cluster, lost: &LostRoom) -> Whereabouts {
    let room = cluster.key_of(&lost.name);
    let Ok(Answer::Log(log)) = cluster.engine().request(Request::Read { room }).await else {
        return Whereabouts::Open;
    };
    let Some(last) = log.last() else { return Whereabouts::Ended };
    // An owner that ended it has told so.
    if cluster.others().iter().any(|(node, _)| *node == last.writer) {
        return Whereabouts::Owned;
    }
    match restored(&log) {
        Some(_) => Whereabouts::Open,
        None => Whereabouts::Ended,
    }
}
