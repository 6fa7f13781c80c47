//! Messages to room tasks.

use std::sync::Arc;

use cluster::NodeId;
use room::{Connection, Departure, Request, protocol::ReportRequest};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};

use super::{
    client::MembershipGuard,
    details::RoomDetails,
    frozen_room::FrozenRoom,
    guesses::Guess,
    operating::{Operated, Operating},
};
use crate::{access::PolicyError, socketio::Ack};

/// A message to a room. Boxed in the channel, since a channel allocates slots in advance.
#[derive(Debug)]
pub(super) enum RoomMessage {
    /// A request to join or resume.
    Enter {
        guard: Arc<MembershipGuard>,
        request: Request,
        ack: Option<Ack>,
        /// Present if a password was given for an existing room.
        guess: Option<Guess>,
        /// Time of the request.
        since: Instant,
        /// Permission to open the room, or the reason against it.
        opening: Result<Permission, PolicyError>,
    },
    /// A request of a member.
    Request { from: Connection, request: Request, ack: Option<Ack> },
    /// What a member's page has measured.
    Report { from: Connection, report: Box<ReportRequest> },
    /// The end of a socket.
    Gone { connection: Connection, departure: Departure },
    /// A request of the operator.
    Operate { operating: Operating, done: oneshot::Sender<Operated> },
    /// Asks for the room's state.
    Describe(oneshot::Sender<RoomDetails>),
    /// The server is over its memory budget: drop the events kept for resuming clients.
    ForgetLog,
    /// The server drains: give the room to another node of the cluster. Tells whether one has it.
    Give(oneshot::Sender<bool>),
    /// Another node drains, and is to lose the links that it has.
    LeaveNode(NodeId),
    /// The process ends and the next one has the room: stop for good.
    Freeze(oneshot::Sender<FrozenRoom>),
}

/// Permission to open a room by joining it.
#[derive(Debug, Clone, Default)]
pub(super) struct Permission {
    /// Name of the room's template.
    pub(super) template: Option<String>,
    /// Whoever opens the room is its host, also where nobody is by coming first.
    pub(super) is_host: bool,
}

/// Sending end of a room's channel.
pub(super) type RoomSender = mpsc::Sender<Box<RoomMessage>>;
/// Receiving end of a room's channel.
pub(super) type RoomReceiver = mpsc::Receiver<Box<RoomMessage>>;
