//! Rooms over Socket.IO: the native protocol, the dialects of other clients, the lobbies and the
//! iceServers.
//!
//! Each room is one task with one bounded mailbox around the pure [`room::Room`]. A socket's
//! session parses what comes in, sends it to its room's mailbox and goes on; the room answers and
//! tells by the sockets' own queues, which never wait. So a room waits for nobody, and a socket
//! only for its own room.

mod answer;
mod config;
mod desk;
mod directory;
mod guesses;
mod hall;
mod hub;
mod ice;
mod kept_rooms;
mod lobby;
mod memory;
mod parse;
mod place;
mod placement;
mod rate;
mod refusal;
mod room_task;
mod seat;
mod session;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_of_dialects;
mod translate;

use std::{sync::Arc, time::Duration};

use room::protocol::{ServerDraining, ServerEvent};

pub(crate) use self::{config::Config, desk::MediaServer};
use self::{hub::Hub, session::Session};
use crate::{
    net::client_prefix::ClientPrefix,
    socket::app::{Application, Handshake, HeldBytes, Socket, encode_event},
};

/// The signaling server: answers the sockets of the namespace `/`.
pub(crate) struct Signaling {
    hub: Arc<Hub>,
}

/// How much of everything there is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Census {
    /// Sockets connected.
    pub(crate) sessions: usize,
    /// Rooms open, those of dialects too.
    pub(crate) rooms: usize,
    /// Participants in them, those who may come back too.
    pub(crate) participants: u64,
    /// Bytes that sockets hold: queued, taken, unsent or received in part.
    pub(crate) queue_bytes: usize,
    /// Bytes of events that rooms keep for those who reconnect.
    pub(crate) log_bytes: usize,
}

impl Signaling {
    /// Starts with no rooms. Called within a tokio runtime, which runs the rooms.
    pub(crate) fn new(config: Config) -> Arc<Self> {
        let hub = Arc::new(Hub::new(config));
        tokio::spawn(lobby::publish(Arc::clone(&hub)));
        tokio::spawn(kept_rooms::write(Arc::clone(&hub)));
        tokio::spawn(memory::watch(Arc::clone(&hub)));
        for at in 0..hub.halls.len() {
            tokio::spawn(hall::tell_late(Arc::clone(&hub), at));
        }
        Arc::new(Self { hub })
    }

    /// Takes in nobody new, tells everybody that the server is going away and closes their
    /// sockets. Resolves when all are gone, or after `patience` of waiting for the slow ones.
    pub(crate) async fn drain(&self, patience: Duration) {
        let event = ServerEvent::ServerDraining(ServerDraining {});
        let packet = encode_event(event.name(), &event, None);
        for socket in self.hub.sockets.close() {
            socket.emit(Arc::clone(&packet));
            socket.disconnect();
        }
        // Who is slower than this finds the connection closed.
        let _ = tokio::time::timeout(patience, self.hub.sockets.all_gone()).await;
    }

    /// How much of everything there is.
    pub(crate) fn census(&self) -> Census {
        let (rooms, participants) = self.hub.lobby.count();
        Census {
            sessions: self.hub.sockets.count(),
            rooms,
            participants,
            queue_bytes: self.hub.sockets.queues().iter().map(|queue| queue.bytes).sum::<usize>()
                + self.hub.held.total(),
            log_bytes: self.hub.directory.logs().iter().map(|log| log.bytes).sum(),
        }
    }

    /// How many requests were refused without anybody to tell, since no acknowledgement was asked.
    pub(crate) fn untold_refusals(&self) -> u64 {
        self.hub.refusals.untold()
    }
}

impl Application for Signaling {
    type Events = Session;

    fn connect(&self, socket: Socket, handshake: Handshake) -> Result<Session, String> {
        let connection = (self.hub.sockets)
            .add(socket.clone(), ClientPrefix::from(handshake.address))
            .ok_or_else(|| "the server is going away".to_owned())?;
        Ok(Session::new(Arc::clone(&self.hub), connection, socket, &handshake))
    }

    fn held_bytes(&self) -> Arc<HeldBytes> {
        Arc::clone(&self.hub.held)
    }
}
