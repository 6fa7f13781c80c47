//! Rooms that nobody here knows while the engine is away: other nodes are asked, and if it is away for
//! them, too, one of them opens the room.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use axum::{
    body::Body,
    http::{Method, Request, Response, StatusCode, Uri},
};
use bytes::Bytes;
use cluster::{Epoch, NodeId, OwnedRoom, RoomKey};
use http_body_util::{BodyExt, Limited};
use tokio::{
    task::JoinSet,
    time::{sleep, timeout},
};

use super::{
    Cluster,
    ownership::{Claim, Missed, Place, Unplaced},
};

/// Time for answers of other nodes.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time for the client of the node that asked to come, after which its claim is forgotten.
const CLAIM_KEPT: Duration = Duration::from_secs(10);
/// Time for answers to [`HELD_PATH`], which need no other node.
const HELD_PATIENCE: Duration = Duration::from_millis(700);
/// Time after the engine's return in which rooms that others have opened may not be claimed yet.
const UNCLAIMED: Duration = Duration::from_secs(3);
/// The resource of a room's place, with the room's key behind it.
pub(crate) const PLACE_PATH: &str = "/place/";
/// The same, of a room that the node has already.
pub(crate) const HELD_PATH: &str = "/held/";
/// The longest answer: a node and its address.
const MAX_BYTES: usize = 256;
/// Seconds from 1970 to 2026, from which epochs count.
const FIRST_SECOND: u64 = 1_767_225_600;

/// The answer of another node.
enum Told {
    /// This node has the room.
    At(NodeId, SocketAddr),
    /// It has no engine either.
    Away(NodeId, SocketAddr),
}

/// The answers of all other nodes.
enum Asked {
    Found(Place),
    /// Nobody has the room, and these have no engine.
    Away(Vec<(NodeId, SocketAddr)>),
}

impl Cluster {
    /// Finds a room's node by others. If the engine is away for all that can be reached, the one that
    /// should own the room opens it; all come to the same one.
    pub(super) async fn place_without_engine(&self, key: RoomKey) -> Result<Place, Unplaced> {
        let me = {
            let membership = self.member.lock();
            membership.was_leased.then(|| membership.member.id())
        };
        // A node that never was in the cluster knows nobody.
        let me = me.ok_or(Unplaced)?;
        let away = match self.ask_all(PLACE_PATH, key, PATIENCE).await {
            Asked::Found(place) => return Ok(place),
            Asked::Away(away) => away,
        };
        let nodes = away.iter().map(|(node, _)| *node).chain([me]);
        let owner = cluster::owner_for(key, nodes).ok_or(Unplaced)?;
        if let Some((node, address)) = away.into_iter().find(|(node, _)| *node == owner) {
            return Ok(Place::There(node, address));
        }
        let second = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let epoch = u32::try_from(second.saturating_sub(FIRST_SECOND)).ok().and_then(Epoch::new);
        let mut room = OwnedRoom::new(me, key);
        let first = room.open_unkept(Instant::now(), epoch.ok_or(Unplaced)?);
        tracing::info!(room = %key, "opened without the cluster's engine");
        self.rooms.add(key, Claim { room, log: Vec::new(), first });
        Ok(Place::Here)
    }

    /// Finds the node that has opened a room while the engine was away, and may not have claimed it
    /// yet: to the engine the room is nobody's.
    pub(super) async fn find_unclaimed(&self, key: RoomKey) -> Option<Place> {
        let returned = self.member.lock().returned_at?;
        if returned.elapsed() > UNCLAIMED {
            return None;
        }
        match self.ask_all(HELD_PATH, key, HELD_PATIENCE).await {
            Asked::Found(place) => Some(place),
            Asked::Away(_) => None,
        }
    }

    /// Asks all nodes that may be there.
    async fn ask_all(&self, path: &'static str, key: RoomKey, patience: Duration) -> Asked {
        let (me, nodes) = {
            let membership = self.member.lock();
            (membership.member.id(), membership.recent())
        };
        let mut asked = JoinSet::new();
        for (node, address) in nodes {
            let links = Arc::clone(&self.links);
            asked.spawn(async move {
                timeout(patience, ask(&links, path, key, node, address)).await.ok().flatten()
            });
        }
        let mut away = Vec::new();
        while let Some(told) = asked.join_next().await {
            match told {
                Ok(Some(Told::At(node, _))) if node == me => {}
                Ok(Some(Told::At(node, address))) => {
                    return Asked::Found(Place::There(node, address));
                }
                Ok(Some(Told::Away(node, address))) => away.push((node, address)),
                Ok(None) | Err(_) => {}
            }
        }
        Asked::Away(away)
    }

    /// Tells another node if this one has a room.
    pub(crate) fn answer_held(&self, key: &str) -> Response<Body> {
        if !parse(key).is_some_and(|key| self.rooms.has(key)) {
            return status(StatusCode::NOT_FOUND);
        }
        let me = self.member.lock().member.id();
        Response::new(Body::from(Bytes::from(me.to_string())))
    }

    /// Tells another node, which has no engine, where a room is.
    pub(crate) async fn answer_place(self: &Arc<Self>, key: &str) -> Response<Body> {
        let Some(key) = parse(key) else { return status(StatusCode::NOT_FOUND) };
        match self.place_for_other(key).await {
            Ok(Place::Here) => {
                // Nobody may come.
                let cluster = Arc::clone(self);
                tokio::spawn(async move {
                    sleep(CLAIM_KEPT).await;
                    cluster.forget_claim(key);
                });
                let me = self.member.lock().member.id();
                Response::new(Body::from(Bytes::from(me.to_string())))
            }
            Ok(Place::There(node, address)) => {
                Response::new(Body::from(Bytes::from(format!("{node} {address}"))))
            }
            Err(Missed::EngineAway) => status(StatusCode::SERVICE_UNAVAILABLE),
            Err(Missed::Late) => status(StatusCode::GATEWAY_TIMEOUT),
        }
    }
}

/// Asks a node where a room is; `None` if that can't be known from it.
async fn ask(
    links: &super::links::Links,
    path: &str,
    key: RoomKey,
    node: NodeId,
    address: SocketAddr,
) -> Option<Told> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = Uri::try_from(format!("https://node.moim.invalid{path}{key}")).ok()?;
    let response = links.send(node, address, request).await.ok()?;
    match response.status() {
        StatusCode::SERVICE_UNAVAILABLE => return Some(Told::Away(node, address)),
        StatusCode::OK => {}
        _ => return None,
    }
    let body = Limited::new(response.into_body(), MAX_BYTES);
    let bytes = body.collect().await.ok()?.to_bytes();
    let told = std::str::from_utf8(&bytes).ok()?;
    match told.split_once(' ') {
        None => Some(Told::At(NodeId::parse(told)?, address)),
        Some((other, at)) => Some(Told::At(NodeId::parse(other)?, at.parse().ok()?)),
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// Reads a key as it is written.
pub(super) fn parse(text: &str) -> Option<RoomKey> {
    let number = u128::from_str_radix(text, 16).ok().filter(|_| text.len() == 32)?;
    Some(RoomKey(number.to_be_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_survive_the_path() {
        let key = RoomKey([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 254, 255]);
        assert_eq!(parse(&key.to_string()), Some(key));
        for bad in ["", "0", "zz", &"0".repeat(33), &format!("+{}", "0".repeat(30))] {
            assert_eq!(parse(bad), None, "{bad}");
        }
    }
}
