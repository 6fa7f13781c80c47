//! Signaling: rooms over Socket.IO, in the native protocol and in dialects; the lobby; iceServers.
//!
//! Each room is a task with a bounded channel around a pure [`room::Room`]. A socket's session
//! parses requests and sends them to its room. The room replies and sends events through the
//! sockets' own queues, which never wait. So a room never waits for a socket, and a socket waits
//! for its own room only.

mod ack;
mod background;
mod checking;
mod client;
mod config;
mod counters;
mod credentials;
mod details;
mod directory;
mod emits;
mod frozen_links;
mod frozen_room;
mod giving;
pub(crate) mod guesses;
mod handover;
mod history;
mod hub;
mod ice;
mod keeping;
mod kept;
mod lasting;
mod limits;
mod lobby_feed;
mod lost_rooms;
mod membership;
mod memory;
mod operating;
mod operator;
mod parse;
mod pending_reply;
mod placement;
pub(crate) mod rate;
mod refusal_log;
mod remote_media;
mod room_client;
mod room_defaults;
mod room_dialect;
mod room_list_feed;
mod room_message;
mod room_relay;
mod room_task;
mod rooms;
mod session;
mod sfu_message;
mod sfu_port;
mod sfu_rejection;
mod sockets;
#[cfg(test)]
mod tests;
mod translator;
mod visits;
mod wall_clock;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{
    body::Body,
    http::{Response, StatusCode},
};
use hyper::body::Incoming;
use room::protocol::{IceServer, ServerDraining, ServerEvent};
use tokio::sync::oneshot;

pub(crate) use self::session::Session;
pub(crate) use self::{
    config::Config,
    counters::Counts,
    details::{ParticipantDetails, RoomDetails},
    frozen_room::FrozenRoom,
    handover::Frozen,
    lost_rooms::settle as settle_lost,
    operating::{OperateError, Operating},
    operator::NewRoom,
    room_defaults::RoomDefaults,
    room_list_feed::ListedRoom,
    sfu_port::MediaServer,
};
use self::{hub::Hub, room_message::RoomMessage, room_task::RoomTask};
use crate::{
    net::client_prefix::ClientPrefix,
    shard::turn::RelayAccess,
    socketio::{Application, Handshake, HeldBytes, Socket, encode_event},
};

/// The signaling server. Handles sockets of the namespace `/`.
pub(crate) struct Signaling {
    hub: Arc<Hub>,
}

/// Current counts, for metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Census {
    /// Connected sockets.
    pub(crate) sessions: usize,
    /// Open rooms, including those of dialects.
    pub(crate) rooms: usize,
    /// Participants, including disconnected ones that may resume.
    pub(crate) participants: u64,
    /// Bytes held for sockets: queued, taken, unsent or partially received.
    pub(crate) queue_bytes: usize,
    /// Bytes of events kept for resuming clients.
    pub(crate) log_bytes: usize,
}

impl Signaling {
    /// Creates a server without rooms. Must be called within a tokio runtime.
    pub(crate) fn new(config: Config) -> Arc<Self> {
        let hub = Arc::new(Hub::new(config, RoomTask::spawn));
        background::spawn(&hub);
        Arc::new(Self { hub })
    }

    /// Rejects new sockets, announces the shutdown to all others and disconnects them. Returns when
    /// all are gone or after `patience`.
    pub(crate) async fn drain(&self, patience: Duration) {
        let event = ServerEvent::ServerDraining(ServerDraining {});
        let packet = encode_event(event.name(), &event, None);
        let cluster = self.hub.config.cluster.as_ref();
        let resumes_elsewhere = cluster.is_some_and(|cluster| cluster.has_successor());
        for socket in self.hub.sockets.close() {
            // After a break its client connects again at once.
            if resumes_elsewhere {
                socket.cut();
                continue;
            }
            socket.emit(Arc::clone(&packet));
            socket.disconnect();
        }
        self.hub.kept.save().await;
        // The connections of slower sockets are closed.
        let _ = tokio::time::timeout(patience, self.hub.sockets.all_gone()).await;
    }

    /// Completes once no room has a participant.
    pub(crate) async fn until_empty(&self) {
        loop {
            self.hub.lobby.until_empty().await;
            // A room answers a join before it tells the lobby of it. Whatever it answers next, it
            // has told.
            for room in self.hub.directory.all() {
                let (sender, answer) = oneshot::channel();
                if room.send(Box::new(RoomMessage::Describe(sender))).await.is_ok() {
                    let _ = answer.await;
                }
            }
            if self.hub.lobby.count().1 == 0 {
                return;
            }
        }
    }

    /// Replaces the defaults of rooms. Open rooms and sockets stay, also beyond the limits.
    pub(crate) fn set_defaults(&self, defaults: RoomDefaults) {
        self.hub.directory.set_limits(defaults.max_rooms, defaults.max_rooms_per_address);
        self.hub.defaults.replace(defaults);
    }

    /// Returns the current counts.
    pub(crate) fn census(&self) -> Census {
        let (rooms, participants) = self.hub.lobby.count();
        Census {
            sessions: self.hub.sockets.count(),
            rooms,
            participants,
            queue_bytes: self.hub.sockets.queued_bytes() + self.hub.held.total(),
            log_bytes: self.hub.directory.log_bytes(),
        }
    }

    /// Returns the counts since the start.
    pub(crate) fn counts(&self) -> Counts {
        self.hub.counters.read()
    }

    /// Number of participants of each room.
    pub(crate) fn room_sizes(&self) -> Vec<u32> {
        self.hub.lobby.sizes()
    }

    /// Issues the `iceServers` of a visitor who tests the way to this server and is in no room.
    /// Relay access ends when the second value is dropped; there is none at the limit.
    pub(crate) fn visitor_ice_servers(
        &self,
        visitor: &str,
        host: Option<&str>,
        local: SocketAddr,
    ) -> (Vec<IceServer>, Option<RelayAccess>) {
        let config = &self.hub.config;
        let access = config.credentials.admit(visitor);
        let reached = ice::ReachedHost::of(config, host, local);
        (ice::servers(config, &reached, access.as_ref()), access)
    }

    /// The address, or host, and the port by which clients on a connection to `local` reach the
    /// server's media, and its first global IPv6 address, if it has one.
    pub(crate) fn reached(&self, host: &str, local: SocketAddr) -> (String, u16, Option<String>) {
        let reachable = self.hub.config.reachable.current();
        let first = reachable.for_client_of(local).into_iter().next();
        let port = reachable.port_at(host, local.port());
        let (address, port) = match first {
            Some(first) => (first.ip().to_string(), first.port()),
            None => (host.trim_matches(['[', ']']).to_owned(), port),
        };
        (address, port, reachable.global_ipv6().map(|ip| ip.to_string()))
    }

    /// Serves a stream of another node, for links here of participants of its room.
    pub(crate) fn serve_media(&self, stream: Incoming) -> Response<Body> {
        match &self.hub.config.media {
            Some(media) => media.host().accept(stream),
            None => {
                let mut response = Response::new(Body::empty());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }

    /// Rooms of other nodes whose participants have links here.
    pub(crate) fn hosted_rooms(&self) -> usize {
        self.hub.config.media.as_ref().map_or(0, |media| media.host().rooms())
    }

    /// Number of rejected requests without acknowledgement.
    pub(crate) fn unacknowledged_rejections(&self) -> u64 {
        self.hub.rejections.unacknowledged()
    }
}

impl Application for Signaling {
    type Events = Session;

    fn connect(&self, socket: Socket, handshake: Handshake) -> Result<Session, String> {
        self.hub.counters.socket_connected(handshake.open_for);
        let connection = (self.hub.sockets)
            .add(socket.clone(), ClientPrefix::from(handshake.address))
            .ok_or_else(|| "the server is shutting down".to_owned())?;
        Ok(Session::new(Arc::clone(&self.hub), connection, socket, &handshake))
    }

    fn held_bytes(&self) -> Arc<HeldBytes> {
        Arc::clone(&self.hub.held)
    }
}
