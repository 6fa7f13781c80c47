//! The list of rooms of all nodes: each asks the others for theirs while a client wants the list.

use std::{sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, Response, StatusCode, Uri},
};
use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use room::protocol::RoomSummary;
use tokio::{
    task::JoinSet,
    time::{interval, timeout},
};

use crate::{cluster::Cluster, signaling::Signaling};

/// The list's age at most.
const INTERVAL: Duration = Duration::from_secs(2);
/// Time for a node's answer.
const PATIENCE: Duration = Duration::from_secs(1);
/// The longest answer.
const MAX_BYTES: usize = 1 << 20;
/// The resource of a node's list.
pub(super) const PATH: &str = "/rooms";
const ROOMS: &str = "https://node.moim.invalid/rooms";

/// Keeps the list current, as long as both are there.
pub(super) async fn keep_room_list(signaling: Arc<Signaling>, cluster: Arc<Cluster>) {
    let mut ticks = interval(INTERVAL);
    loop {
        ticks.tick().await;
        if signaling.is_room_list_wanted() {
            signaling.set_rooms_elsewhere(rooms_elsewhere(&cluster).await);
        }
    }
}

/// The rooms of all other nodes that answer in time.
async fn rooms_elsewhere(cluster: &Arc<Cluster>) -> Vec<RoomSummary> {
    let mut asked = JoinSet::new();
    for (node, address) in cluster.others() {
        let cluster = Arc::clone(cluster);
        asked.spawn(async move {
            let mut request = Request::new(Body::empty());
            *request.method_mut() = Method::GET;
            *request.uri_mut() = Uri::from_static(ROOMS);
            let read = async {
                let response = cluster.pass_request(node, address, request).await.ok()?;
                let body = Limited::new(response.into_body(), MAX_BYTES);
                let bytes = body.collect().await.ok()?.to_bytes();
                serde_json::from_slice::<Vec<RoomSummary>>(&bytes).ok()
            };
            timeout(PATIENCE, read).await.ok().flatten()
        });
    }
    let mut rooms = asked.join_all().await.into_iter().flatten().flatten().collect::<Vec<_>>();
    // Whichever node answers first.
    rooms.sort_by(|one, other| (&one.name, &one.dialect).cmp(&(&other.name, &other.dialect)));
    rooms.dedup_by(|one, other| (&one.name, &one.dialect) == (&other.name, &other.dialect));
    rooms
}

/// This node's list, for another one.
pub(super) fn answer(signaling: &Signaling) -> Response<Body> {
    match serde_json::to_vec(&signaling.listed_rooms()) {
        Ok(list) => Response::new(Body::from(Bytes::from(list))),
        Err(_) => super::owner::refuse(StatusCode::INTERNAL_SERVER_ERROR),
    }
}
