//! Rooms of a node that drains, which others claim before it ends.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Method, Request, StatusCode, Uri},
};
use cluster::{NodeId, RoomKey};
use tokio::{task::JoinSet, time::timeout};

use super::{Cluster, links::Links};

/// The resource of a room that its owner gives up, with the room's key and the owner behind it.
pub(crate) const TAKE_PATH: &str = "/take/";
/// The resource of a node that drains, with its id behind it.
pub(crate) const DRAINING_PATH: &str = "/draining/";
/// Time for another node to claim a room, of which there may be one claim a second, and to open it.
const TAKE_PATIENCE: Duration = Duration::from_secs(3);
/// Time for the others to hear that this node drains. Their next look at its lease tells them, too.
const TELL_PATIENCE: Duration = Duration::from_millis(700);

/// No other node has taken a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NotTaken {
    /// No other node takes rooms.
    #[error("no other server of the cluster takes rooms")]
    NobodyThere,
    /// The node that was asked has refused, or has not answered: it may have the room, which the
    /// room's log tells.
    #[error("the next server did not take the room")]
    Refused,
}

impl Cluster {
    /// True if another node can have a room of this one.
    pub(crate) fn has_successor(&self) -> bool {
        self.successor(RoomKey([0; 16])).is_some()
    }

    /// Tells all others that this node drains, so that they place nothing here.
    pub(crate) async fn tell_draining(&self) {
        let me = self.id();
        let mut told = JoinSet::new();
        for (node, address) in self.others() {
            let links = Arc::clone(&self.links);
            let path = format!("{DRAINING_PATH}{me}");
            told.spawn(async move {
                let post = post(&links, node, address, path);
                // One that can't be reached looks at the leases.
                let _ = timeout(TELL_PATIENCE, post).await;
            });
        }
        while told.join_next().await.is_some() {}
    }

    /// Another node drains. Returns its id.
    pub(crate) fn note_draining(&self, node: &str) -> Option<NodeId> {
        let node = NodeId::parse(node)?;
        self.member.lock().member.handle_draining(node);
        Some(node)
    }

    /// True if a node takes no new links, as it drains: `None` for the own one.
    pub(crate) fn is_draining(&self, node: Option<NodeId>) -> bool {
        match node {
            None => self.drain.has_begun(),
            Some(node) => {
                let membership = self.member.lock();
                let mut others = membership.member.others();
                others.any(|(other, card)| {
                    other == node && card.state == cluster::NodeState::Draining
                })
            }
        }
    }

    /// Has another node claim a room of this one, whose log has everything. Returns that node.
    ///
    /// # Errors
    /// Fails if none has taken it for certain.
    pub(crate) async fn give(&self, key: RoomKey) -> Result<NodeId, NotTaken> {
        let (node, address) = self.successor(key).ok_or(NotTaken::NobodyThere)?;
        let path = format!("{TAKE_PATH}{key}/{}", self.id());
        let post = post(&self.links, node, address, path);
        match timeout(TAKE_PATIENCE, post).await {
            Ok(Some(StatusCode::OK)) => Ok(node),
            _ => Err(NotTaken::Refused),
        }
    }

    /// The room and its owner in the path of a request to take it.
    pub(crate) fn parse_take(path: &str) -> Option<(RoomKey, NodeId)> {
        let (key, giver) = path.split_once('/')?;
        Some((super::unkept::parse(key)?, NodeId::parse(giver)?))
    }
}

async fn post(
    links: &Links,
    node: NodeId,
    address: SocketAddr,
    path: String,
) -> Option<StatusCode> {
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = Uri::try_from(format!("https://node.moim.invalid{path}")).ok()?;
    let response = links.send(node, address, request).await.ok()?;
    Some(response.status())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_and_giver_survive_the_path() {
        let key = RoomKey([7; 16]);
        let path = format!("{key}/3.00000000000000ff");
        let (read, giver) = Cluster::parse_take(&path).unwrap();
        assert_eq!((read, giver.to_string()), (key, "3.00000000000000ff".to_owned()));
        for bad in ["", "/", "aa/3.ff", &format!("{key}"), &format!("{key}/x"), &format!("/{key}")]
        {
            assert_eq!(Cluster::parse_take(bad), None, "{bad}");
        }
    }
}
