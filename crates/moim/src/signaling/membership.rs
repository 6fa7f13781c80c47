//! A socket's membership in a room, as seen by its session.

use std::sync::Weak;

use room::{Address, Rejection};

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

    /// Sends a message to the room.
    pub(super) async fn send(
        &self,
        directory: &Directory,
        rejections: &Rejections,
        message: RoomMessage,
    ) {
        let Err(unsent) = self.room.send(Box::new(message)).await else { return };
        // The room closed before it handled our join, and was opened again for it.
        let message = match directory.find(&self.address) {
            Some(room) => match room.send(unsent.0).await {
                Ok(()) => return,
                Err(unsent) => unsent.0,
            },
            None => unsent.0,
        };
        if let RoomMessage::Request { ack, .. } = *message {
            rejections.reject(ack, Rejection::NotJoined.into());
        }
    }
}
