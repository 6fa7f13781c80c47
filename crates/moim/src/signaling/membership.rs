//! A socket's membership in a room, as seen by its session.

use std::sync::Weak;

use room::{Address, Rejection};
use tokio::sync::mpsc::error::{SendError, TrySendError};

use super::{
    ack::Rejections,
    client::MembershipGuard,
    directory::Directory,
    room_message::{RoomMessage, RoomSender},
};

/// The room that a socket is in or asked to enter.
pub(super) struct Membership {
    pub(super) address: Address,
    pub(super) room: RoomSender,
    pub(super) guard: Weak<MembershipGuard>,
}

impl Membership {
    /// Returns whether the socket is in the room or about to enter it.
    pub(super) fn is_active(&self) -> bool {
        self.guard.strong_count() > 0
    }

    /// Sends a message to the room. Boxed, so that the futures of all sockets stay small: each holds
    /// the message while it waits.
    pub(super) async fn send(
        &self,
        directory: &Directory,
        rejections: &Rejections,
        message: Box<RoomMessage>,
    ) {
        let unsent = match self.room.try_send(message) {
            Ok(()) => return,
            Err(TrySendError::Closed(message)) => message,
            Err(TrySendError::Full(message)) => match self.room.send(message).await {
                Ok(()) => return,
                Err(SendError(message)) => message,
            },
        };
        // The room closed before it handled our join, and was opened again for it.
        let message = match directory.find(&self.address) {
            Some(room) => match room.send(unsent).await {
                Ok(()) => return,
                Err(SendError(message)) => message,
            },
            None => unsent,
        };
        if let RoomMessage::Request { ack, .. } = *message {
            rejections.reject(ack, Rejection::NotJoined.into());
        }
    }
}
