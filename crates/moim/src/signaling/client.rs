//! Connected clients.

use std::sync::Arc;

use cluster::NodeId;
use room::Connection;

use super::ice::ReachedHost;
use crate::{net::client_prefix::ClientPrefix, socketio::Socket};

/// A connected socket, as seen by its session and its room.
#[derive(Debug)]
pub(super) struct Client {
    pub(super) connection: Connection,
    pub(super) socket: Socket,
    pub(super) host: ReachedHost,
    pub(super) prefix: ClientPrefix,
    /// The other node of the cluster that has the socket.
    pub(super) door: Option<NodeId>,
}

/// Keeps a client's membership alive. Owned by the room, or by the message that asks to join it.
/// The session holds a weak reference and thus notices the end of the membership.
#[derive(Debug)]
pub(super) struct MembershipGuard(pub(super) Arc<Client>);
