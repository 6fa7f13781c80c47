//! Sockets whose room another node of the cluster owns: this node passes their events on, and what
//! the owner sends to them.
//!
//! A socket begins at its own node. At the first request that names a room, the node of the room is
//! looked up. If it is another one, a stream to it is opened, which stays for the socket's life:
//! there, a session is run as for a socket of its own.

mod dialects;
mod door;
mod owner;
mod passages;
mod polling;
mod room_list;
mod service;
mod wire;

use std::sync::Arc;

use axum::Router;

pub(crate) use self::service::NodeService;
use self::{dialects::Dialects, door::Clustered, passages::Passages};
use crate::{
    cluster::Cluster,
    config::Live,
    signaling::Signaling,
    socketio::{self, ActiveConfig},
};

/// The Socket.IO routes of a node, and its service for other nodes.
pub(crate) fn router(
    signaling: &Arc<Signaling>,
    cluster: &Arc<Cluster>,
    config: Live<ActiveConfig>,
) -> (Router, Arc<NodeService>) {
    let parts = || (Arc::clone(signaling), Arc::clone(cluster));
    let (rooms, links) = parts();
    tokio::spawn(room_list::keep_room_list(rooms, links));
    let dialects = Dialects::new(Arc::clone(cluster));
    let (rooms, links) = parts();
    let passages = Arc::<Passages>::default();
    let app = Clustered::new(rooms, links, Arc::clone(&dialects), Arc::clone(&passages));
    let app = Arc::new(app);
    let sockets = socketio::router(app, config);
    let (rooms, links) = parts();
    let service = NodeService::new(rooms, links, dialects, passages, sockets.clone());
    (polling::pass_on_sessions(sockets, Arc::clone(cluster)), service)
}
